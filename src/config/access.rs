//! Who may sign in where several people share a server: `[cowork.access]`.

use std::{net::IpAddr, path::PathBuf};

use ipnet::IpNet;

use super::{ConfigError, document::Section, parse::expand};

/// What only this machine's own user needs nothing of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The header in which a proxy names the person, and the only addresses that are believed to be that proxy.
    pub proxy: Option<Proxy>,
    /// Names with the hashes of their passwords; `None` is a file in the data folder.
    pub users_file: Option<PathBuf>,
    /// The only people who may; empty means all that can show who they are.
    pub people: Vec<String>,
    /// The only networks to come from, beside this machine itself; empty means all.
    pub networks: Vec<IpNet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    pub header: String,
    pub addresses: Vec<IpNet>,
}

pub fn read(section: &Section<'_>, home: Option<&std::path::Path>) -> Result<Access, ConfigError> {
    let users_file = section.text("users_file")?;
    Ok(Access {
        proxy: proxy(section)?,
        users_file: users_file.map(|path| expand(&path, home, "[cowork.access] users_file")).transpose()?,
        people: section.texts("people")?.unwrap_or_default(),
        networks: networks(section, "networks")?,
    })
}

fn proxy(section: &Section<'_>) -> Result<Option<Proxy>, ConfigError> {
    let addresses = networks(section, "proxies")?;
    match section.text("proxy_header")? {
        None if addresses.is_empty() => Ok(None),
        None => Err(section.fault("proxies", "needs `proxy_header`, the header in which the proxy names the person")),
        Some(_) if addresses.is_empty() => {
            Err(section.fault("proxy_header", "needs `proxies`, the addresses that it is believed from"))
        }
        Some(header) => Ok(Some(Proxy { header: header.to_ascii_lowercase(), addresses })),
    }
}

fn networks(section: &Section<'_>, key: &str) -> Result<Vec<IpNet>, ConfigError> {
    let texts = section.texts(key)?.unwrap_or_default();
    let read = |text: &String| {
        let one = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| one()).map_err(|_| {
            section.fault(key, &format!("holds `{text}`, which is no address and no network such as 10.0.0.0/8"))
        })
    };
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    fn read(text: &str) -> Result<super::Access, String> {
        let text = format!("[cowork.access]\n{text}");
        let (config, warnings) = Config::from_toml(&text, "loom.toml", &|_| None, Some(Path::new("/home/anna")))
            .map_err(|error| error.to_string())?;
        if warnings.is_empty() { Ok(config.access) } else { Err(warnings.join("; ")) }
    }

    #[test]
    fn a_proxy_is_a_header_and_the_addresses_that_it_is_believed_from() {
        let access = read("proxy_header = \"X-Forwarded-User\"\nproxies = [\"127.0.0.1\", \"10.0.0.0/8\"]").unwrap();
        let proxy = access.proxy.unwrap();
        assert_eq!(proxy.header, "x-forwarded-user");
        assert!(proxy.addresses[1].contains(&"10.2.3.4".parse::<std::net::IpAddr>().unwrap()));
        assert!(!proxy.addresses[0].contains(&"127.0.0.2".parse::<std::net::IpAddr>().unwrap()));
        for (text, told) in [
            ("proxy_header = \"X-User\"", "needs `proxies`"),
            ("proxies = [\"127.0.0.1\"]", "needs `proxy_header`"),
            ("networks = [\"10.0.0.0/99\"]", "holds `10.0.0.0/99`"),
            ("proxi = 1", "is not a key"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(told) && error.contains("line 2"), "{error}");
        }
    }

    #[test]
    fn the_rest_is_empty_until_somebody_writes_it() {
        assert_eq!(read("").unwrap(), super::Access::default());
        let access = read("users_file = \"~/users\"\npeople = [\"anna\"]\nnetworks = [\"fd00::/8\"]").unwrap();
        assert_eq!(access.users_file.as_deref(), Some(Path::new("/home/anna/users")));
        assert_eq!((access.people.as_slice(), access.networks.len()), (&["anna".to_owned()][..], 1));
    }
}
