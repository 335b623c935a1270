//! Where a request came from, and for whom a trusted proxy speaks.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::Proxy;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end: its address, and its name where a proxy that we believe gives one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub address: IpAddr,
    pub name: Option<String>,
}

/// A header of anybody but the proxy is what that one wants us to believe, and means nothing.
pub fn peer<'a>(proxy: Option<&Proxy>, from: IpAddr, header: impl Fn(&str) -> Option<&'a str>) -> Peer {
    let from = from.to_canonical();
    let Some(proxy) = believed(proxy, from) else { return Peer { address: from, name: None } };
    let name = header(&proxy.header).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    // Each proxy appends whom it heard; what stands before the last one that is not ours, anybody may have written.
    let hops = header(FORWARDED_FOR).unwrap_or_default().split(',').rev().map_while(|hop| hop.trim().parse().ok());
    let client = hops.map(|hop: IpAddr| hop.to_canonical()).find(|hop| !contains(&proxy.addresses, *hop));
    Peer { address: client.unwrap_or(from), name }
}

/// The proxy, if it is the one that speaks.
pub fn believed(proxy: Option<&Proxy>, from: IpAddr) -> Option<&Proxy> {
    proxy.filter(|proxy| contains(&proxy.addresses, from.to_canonical()))
}

/// This machine itself is always listed: whoever is on it without a proxy has to show the token anyway.
pub fn is_listed(networks: &[IpNet], address: IpAddr) -> bool {
    networks.is_empty() || address.is_loopback() || contains(networks, address)
}

fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seen(from: &str, user: Option<&'static str>, forwarded: Option<&'static str>) -> (String, Option<String>) {
        let proxy = Proxy { header: "x-user".into(), addresses: vec!["10.0.0.0/24".parse().unwrap()] };
        let header = |name: &str| if name == "x-user" { user } else { forwarded };
        let peer = peer(Some(&proxy), address(from), header);
        (peer.address.to_string(), peer.name)
    }

    #[test]
    fn only_the_proxy_is_believed() {
        assert_eq!(seen("10.0.0.5", Some("anna"), None), ("10.0.0.5".into(), Some("anna".into())));
        assert_eq!(seen("::ffff:10.0.0.5", Some(" anna "), None), ("10.0.0.5".into(), Some("anna".into())));
        for stranger in ["10.0.1.5", "127.0.0.1", "::1"] {
            assert_eq!(seen(stranger, Some("anna"), Some("10.9.9.9")), (stranger.into(), None));
        }
        assert_eq!(seen("10.0.0.5", Some(""), None).1, None);
    }

    #[test]
    fn the_client_is_the_last_one_that_a_proxy_of_ours_has_heard() {
        let client = |forwarded| seen("10.0.0.5", None, Some(forwarded)).0;
        assert_eq!(client("192.0.2.7"), "192.0.2.7");
        assert_eq!(client("6.6.6.6, 192.0.2.7, 10.0.0.9"), "192.0.2.7");
        assert_eq!(client("192.0.2.7, nonsense"), "10.0.0.5");
        assert_eq!(client(""), "10.0.0.5");
    }

    #[test]
    fn an_empty_list_is_everybody() {
        let listed = |networks: &[&str], from| {
            let networks: Vec<IpNet> = networks.iter().map(|network| network.parse().unwrap()).collect();
            is_listed(&networks, address(from))
        };
        assert!(
            listed(&[], "192.0.2.7") && listed(&["10.0.0.0/8"], "10.1.2.3") && listed(&["10.0.0.0/8"], "127.0.0.1")
        );
        assert!(!listed(&["10.0.0.0/8"], "192.0.2.7") && !listed(&["10.0.0.0/8"], "fd00::1"));
    }
}
