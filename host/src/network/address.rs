//! Which network addresses a connection may use, whatever name resolves to them.
//!
//! The owner of an allowed name can let it resolve to any address (DNS rebinding), so the address
//! is checked after resolution and before the connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::denial::Denial;

/// Where an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Reachable across the internet.
    Public,
    /// Inside the network of an organization or a provider.
    Private,
    /// This machine.
    Loopback,
    /// Never a service: link-local, cloud metadata, multicast, reserved.
    Never,
}

/// Why a connection to `address` is refused, if it is. The name of a loopback host may only have
/// loopback addresses, and no other name may have one.
pub(crate) fn refusal(loopback_host: bool, allow_private: bool, address: IpAddr) -> Option<Denial> {
    match (place(address), loopback_host) {
        (Place::Public, false) | (Place::Loopback, true) => None,
        (Place::Private, false) => (!allow_private).then_some(Denial::Private(address)),
        _ => Some(Denial::Address(address)),
    }
}

pub(crate) fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(address) => place_v4(address),
        IpAddr::V6(address) => place_v6(address),
    }
}

/// By the IANA IPv4 special-purpose registry, and the metadata addresses of the clouds.
fn place_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        [0 | 224.., ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        // Azure's wire server and the metadata service of Alibaba sit in other ranges.
        | [168, 63, 129, 16]
        | [100, 100, 100, 200] => Place::Never,
        [127, ..] => Place::Loopback,
        [10, ..]
        | [192, 168, ..]
        | [172, 16..=31, ..]
        | [100, 64..=127, ..]
        | [198, 18 | 19, ..] => Place::Private,
        _ => Place::Public,
    }
}

/// By the IANA IPv6 special-purpose registry. Addresses that contain an IPv4 address are treated
/// like that one.
fn place_v6(address: Ipv6Addr) -> Place {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        place_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Loopback,
        // ::ffff:0:0/96 IPv4-mapped; 64:ff9b::/96 NAT64; 2002::/16 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => embedded(high, low),
        // The metadata service of AWS inside the private range; Teredo and the other protocol
        // blocks of 2001::/23; documentation.
        [0xfd00, 0xec2, ..] | [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            Place::Never
        }
        [0x64, 0xff9b, 1, ..] | [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Place::Private,
        [0x2000..=0x3fff, ..] => Place::Public,
        // Only 2000::/3 is global unicast; ranges that are assigned later are refused until this
        // list knows them.
        _ => Place::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_classified() {
        let table = [
            (
                Place::Public,
                "20.190.160.1 8.8.8.8 172.32.0.1 100.128.0.1 2603:1020::1 64:ff9b::808:808",
            ),
            (
                Place::Private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 198.18.0.1",
            ),
            (
                Place::Private,
                "fc00::1 fd12:3456::1 fec0::1 ::ffff:10.0.0.1 64:ff9b::a00:1 64:ff9b:1::1",
            ),
            (
                Place::Loopback,
                "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1",
            ),
            (
                Place::Never,
                "0.0.0.0 0.1.2.3 169.254.169.254 168.63.129.16 100.100.100.200 224.0.0.1",
            ),
            (
                Place::Never,
                "255.255.255.255 240.0.0.1 192.0.2.1 203.0.113.9 192.0.0.192",
            ),
            (
                Place::Never,
                ":: ::7f00:1 fe80::1 ff02::1 2001:db8::1 2001::1 fd00:ec2::254 100::1",
            ),
            (Place::Never, "::ffff:169.254.169.254 2002:a9fe:a9fe::1"),
            (Place::Loopback, "2002:7f00:1::1"),
        ];
        for (expected, addresses) in table {
            for address in addresses.split(' ') {
                assert_eq!(place(address.parse().unwrap()), expected, "{address}");
            }
        }
    }

    #[test]
    fn loopback_names_and_addresses_only_go_together() {
        let [public, private, loopback, metadata] =
            ["8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.169.254"].map(|a| a.parse().unwrap());
        for allow_private in [false, true] {
            let refused = |loopback_host, address| refusal(loopback_host, allow_private, address);
            let at = |address| Some(Denial::Address(address));
            assert_eq!(refused(false, public), None);
            let refusal_of_private = (!allow_private).then_some(Denial::Private(private));
            assert_eq!(refused(false, private), refusal_of_private);
            assert_eq!(refused(false, loopback), at(loopback), "DNS rebinding");
            assert_eq!(refused(true, loopback), None);
            assert_eq!(refused(true, public), at(public));
            assert_eq!(refused(true, private), at(private));
            assert_eq!(refused(false, metadata), at(metadata));
            assert_eq!(refused(true, metadata), at(metadata));
        }
    }
}
