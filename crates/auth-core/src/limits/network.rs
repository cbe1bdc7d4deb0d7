//! The networks that a client's address belongs to.

use std::net::{IpAddr, Ipv6Addr};

/// How many bits of an IPv6 address name a network, and how many times the limit it has.
///
/// A subscriber has a /64 at least, mostly a /56, and at some providers a /48 (RIPE-690 §4.2). Wider networks have higher limits,
/// as a /48 may also be a campus or a part of a mobile network.
const IPV6_PREFIXES: [(u32, u32); 3] = [(64, 1), (56, 4), (48, 16)];

/// A network, as text, and how many times the limit it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) factor: u32,
}

/// The networks of an address: an IPv4 address by itself; the /64, /56 and /48 of an IPv6 address.
pub(super) fn networks(ip: &str) -> Vec<Network> {
    match ip.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => vec![Network { name: ip.to_string(), factor: 1 }],
        Ok(IpAddr::V6(ip)) => IPV6_PREFIXES
            .iter()
            .map(|(bits, factor)| Network { name: format!("{}/{bits}", prefix(ip, *bits)), factor: *factor })
            .collect(),
        Err(_) => vec![Network { name: ip.to_owned(), factor: 1 }],
    }
}

/// Whether two addresses belong to one network, the narrowest of each.
pub(crate) fn same_network(one: &str, other: &str) -> bool {
    networks(one).first() == networks(other).first()
}

fn prefix(ip: Ipv6Addr, bits: u32) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or_default();
    Ipv6Addr::from_bits(ip.to_bits() & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ip: &str) -> Vec<String> {
        networks(ip).into_iter().map(|network| network.name).collect()
    }

    #[test]
    fn an_ipv6_address_belongs_to_three_networks_with_rising_limits() {
        let networks = networks("2001:db8:1:23f:3:4:5:6");
        let expected = [("2001:db8:1:23f::/64", 1), ("2001:db8:1:200::/56", 4), ("2001:db8:1::/48", 16)];
        let expected = expected.map(|(name, factor)| Network { name: name.to_owned(), factor });
        assert_eq!(networks, expected);
    }

    #[test]
    fn an_ipv4_address_is_a_network_by_itself_in_either_spelling() {
        assert_eq!(names("203.0.113.7"), ["203.0.113.7"]);
        assert_eq!(names("::ffff:203.0.113.7"), ["203.0.113.7"]);
        assert_eq!(names(""), [""], "whatever the gateway says is counted");
    }
}
