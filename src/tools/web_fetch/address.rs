//! Which addresses of the web may be asked. What is in the house – this machine, its network, its cloud's own services –
//! is no part of it: a page that a model reads could name anything.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Beside the ports of the web only those that no service of a system has.
const LOW_PORTS: [u16; 2] = [80, 443];
const FIRST_HIGH_PORT: u16 = 1024;

/// Networks that are not the public internet, as first address and length of the prefix.
const CLOSED_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by the customers of a provider.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, with the metadata of clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];
/// The public part of IPv6.
const OPEN_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// And what in it is not public: protocols, tunnels that hold another address, documentation.
const CLOSED_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];
/// Translates to IPv4: what counts is the address inside.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether an address belongs to the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|network| in_v4(address, *network)),
        IpAddr::V6(address) => match inner_v4(address) {
            Some(inner) => is_public(inner.into()),
            None => in_v6(address, OPEN_V6) && !CLOSED_V6.iter().any(|network| in_v6(address, *network)),
        },
    }
}

/// The IPv4 address that an IPv6 address stands for.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let translated = in_v6(address, NAT64).then(|| {
        let [.., a, b, c, d] = address.octets();
        Ipv4Addr::new(a, b, c, d)
    });
    address.to_ipv4_mapped().or(translated)
}

fn in_v4(address: Ipv4Addr, (network, length): (Ipv4Addr, u32)) -> bool {
    (u32::from(address) ^ u32::from(network)) >> (32 - length) == 0
}

fn in_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u32)) -> bool {
    (u128::from(address) ^ u128::from(network)) >> (128 - length) == 0
}

/// Reads the address of a page; the error says what is wrong with it.
pub fn page_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim())
        .map_err(|error| format!("`{}` is no address of a page: {error}. Begin with https://.", short(text)))?;
    check(&url)?;
    Ok(url)
}

/// What can be told of an address before its name is looked up. Numbers in any notation are addresses here: the parser
/// has read `0x7f.1` and `2130706433` as what they are.
pub fn check(url: &Url) -> Result<(), String> {
    let shown = short(url.as_str());
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{shown}` begins with `{}:`. Only http and https are fetched.", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("The address holds a user name or password, and none is ever sent. Leave it out.".into());
    }
    let Some(host) = url.host_str() else { return Err(format!("`{shown}` names no host.")) };
    let port = url.port_or_known_default().unwrap_or_default();
    if !LOW_PORTS.contains(&port) && port < FIRST_HIGH_PORT {
        return Err(format!("`{shown}` names port {port}, which is no port of web servers."));
    }
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(not_public(host)),
        _ => Ok(()),
    }
}

pub fn not_public(host: &str) -> String {
    format!(
        "`{}` is not on the public internet: it belongs to this machine or its network, and nothing there is fetched.",
        short(host)
    )
}

fn short(text: &str) -> String {
    super::one_line(text, 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for closed in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:7f00:1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "4000::1",
        ] {
            assert!(!is_public(closed.parse().unwrap()), "{closed}");
        }
        for open in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:200::1",
            "2606:2800:220:1:248:1893:25c8:1946",
            "2a00:1450::1",
        ] {
            assert!(is_public(open.parse().unwrap()), "{open}");
        }
    }

    #[test]
    fn what_is_no_page_of_the_web_is_refused_by_its_address_alone() {
        for (address, reason) in [
            ("http://127.0.0.1/", "not on the public internet"),
            ("http://127.1/", "not on the public internet"),
            ("http://2130706433/", "not on the public internet"),
            ("http://0x7f000001/", "not on the public internet"),
            ("http://0177.0.0.1/", "not on the public internet"),
            ("http://0x7f.0.0.1/", "not on the public internet"),
            ("http://0/", "not on the public internet"),
            ("http://127。0。0。1/", "not on the public internet"),
            ("http://①②⑦.0.0.1/", "not on the public internet"),
            ("http://[::1]/", "not on the public internet"),
            ("http://[::ffff:7f00:1]/", "not on the public internet"),
            ("http://[::ffff:127.0.0.1]:8080/", "not on the public internet"),
            ("http://169.254.169.254/latest/meta-data/", "not on the public internet"),
            ("http://8.8.8.8@127.0.0.1/", "user name or password"),
            ("http://anna:secret@example.org/", "user name or password"),
            ("http://example.org:25/", "port 25"),
            ("http://example.org:22/", "port 22"),
            ("ftp://example.org/", "Only http and https"),
            ("file:///etc/passwd", "Only http and https"),
            ("gopher://example.org/", "Only http and https"),
            ("javascript:alert(1)", "Only http and https"),
            ("example.org", "no address of a page"),
            ("http://", "no address of a page"),
            ("", "no address of a page"),
        ] {
            let refused = page_address(address).unwrap_err();
            assert!(refused.contains(reason), "{address}: {refused}");
        }
        for address in ["https://example.org", "http://example.org:8080/a?b=c#d", "https://[2606:2800:220:1::1]/"] {
            assert!(page_address(address).is_ok(), "{address}");
        }
    }
}
