//! The addresses that a webhook may connect to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use invitation_core::FieldError;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// The networks of IPv4 that are not public: IANA IPv4 Special-Purpose Address Registry (RFC 6890
/// and its updates), multicast (RFC 5771), and the deprecated relays of 6to4 (RFC 7526).
const NOT_PUBLIC_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    // With the metadata services of clouds, such as 169.254.169.254.
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// The network of IPv6 that IANA assigns public addresses from (RFC 4291). Loopback, link-local,
/// unique local and multicast addresses lie outside, and so do the translations of IPv4
/// addresses (`64:ff9b::/96`).
const GLOBAL_UNICAST_V6: Ipv6Net = v6([0x2000, 0], 3);

/// The networks in [`GLOBAL_UNICAST_V6`] that are not public: IANA IPv6 Special-Purpose Address
/// Registry. The addresses of Teredo (within the first) and of 6to4 contain an address of IPv4,
/// which could be a private one.
const NOT_PUBLIC_V6: [Ipv6Net; 4] =
    [v6([0x2001, 0], 23), v6([0x2001, 0xdb8], 32), v6([0x2002, 0], 16), v6([0x3fff, 0], 20)];

const fn v4(address: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(std::net::Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(start: [u16; 2], prefix: u8) -> Ipv6Net {
    let [a, b] = start;
    Ipv6Net::new_assert(std::net::Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// The addresses that webhooks may connect to: all public ones over `https`, and those of allowed
/// networks over `https` and `http`.
///
/// So a URL cannot reach a service of the host's own network, such as a database, the metadata
/// service of a cloud or the host itself (server-side request forgery).
///
/// ```
/// # mod invitation { pub use invitation_delivery as delivery; }
/// use invitation::delivery::webhook::Addresses;
///
/// let addresses = Addresses::public().and("10.20.0.0/16")?;
/// assert!(addresses.allow("10.20.3.4".parse()?) && addresses.allow("1.1.1.1".parse()?));
/// assert!(!addresses.allow("10.21.0.1".parse()?) && !addresses.allow("::1".parse()?));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Addresses {
    allowed: Vec<IpNet>,
}

impl Addresses {
    /// Returns the public addresses.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }

    /// Adds a network, such as `10.20.0.0/16` or `fd00:1::/64`. Receivers in it may use `http`,
    /// which does not encrypt.
    ///
    /// # Errors
    ///
    /// [`FieldError`] when the text is not a network.
    pub fn and(mut self, network: &str) -> Result<Self, FieldError> {
        let network = network.parse().map_err(|_| {
            FieldError::new("network", "must be an address and the length of a prefix")
        })?;
        self.allowed.push(network);
        Ok(self)
    }

    /// Returns whether a webhook may connect to the address over `https`.
    #[must_use]
    pub fn allow(&self, address: IpAddr) -> bool {
        self.allow_plain(address) || is_public(address.to_canonical())
    }

    /// Refuses a URL that itself shows that its receiver may not be connected to. A name is resolved
    /// when a message is sent.
    pub(super) fn check(&self, url: &Url) -> Result<(), FieldError> {
        let refused = |message| Err(FieldError::new("url", message));
        let is_plain = url.scheme() != "https";
        if is_plain && self.allowed.is_empty() {
            return refused("must begin with https://");
        }
        let shown = match url.host() {
            Some(Host::Ipv4(address)) => [Some(IpAddr::V4(address)), None],
            Some(Host::Ipv6(address)) => [Some(IpAddr::V6(address)), None],
            Some(Host::Domain(name)) if is_this_machine(name) => {
                [Some(Ipv4Addr::LOCALHOST.into()), Some(Ipv6Addr::LOCALHOST.into())]
            }
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        let may = |one| if is_plain { self.allow_plain(one) } else { self.allow(one) };
        if shown.into_iter().flatten().any(may) {
            return Ok(());
        }
        refused("must not lead to a private address")
    }

    /// Returns whether a webhook may connect to the address over `http`.
    #[must_use]
    pub fn allow_plain(&self, address: IpAddr) -> bool {
        // An address of IPv4 in the form of IPv6 (`::ffff:127.0.0.1`) is that of IPv4.
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address))
    }
}

/// Returns whether a name always means this machine (RFC 6761, section 6.3).
fn is_this_machine(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_UNICAST_V6.contains(&address)
                && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_that_is_not_public_is_refused_in_every_form() {
        let public = Addresses::public();
        for text in [
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
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!public.allow(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn public_address_is_allowed_over_https_only() {
        let public = Addresses::public();
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            let address = text.parse().unwrap();
            assert!(public.allow(address) && !public.allow_plain(address), "{text}");
        }
    }

    #[test]
    fn allowed_network_allows_its_addresses_in_every_form_and_no_others() {
        let addresses = Addresses::public().and("127.0.0.0/8").unwrap().and("fd00::/64").unwrap();
        for text in ["127.0.0.1", "::ffff:127.0.0.1", "fd00::7"] {
            assert!(addresses.allow_plain(text.parse().unwrap()), "{text}");
        }
        for text in ["10.0.0.1", "::1", "fd00:0:0:1::7"] {
            assert!(!addresses.allow(text.parse().unwrap()), "{text}");
        }
        for wrong in ["", "127.0.0.1", "127.0.0.0/33", "localhost/8"] {
            let refused = Addresses::public().and(wrong).unwrap_err();
            assert_eq!(refused.field(), "network", "{wrong}");
        }
    }

    #[test]
    fn url_is_refused_by_what_it_shows_itself() {
        let (public, own) = (Addresses::public(), Addresses::public().and("127.0.0.0/8").unwrap());
        for (url, by_public, by_own) in [
            ("https://crm.example/", true, true),
            ("https://1.1.1.1/", true, true),
            ("http://crm.example/", false, true),
            ("http://1.1.1.1/", false, false),
            ("https://127.0.0.1/", false, true),
            ("http://127.1:8080/", false, true),
            ("http://localhost/", false, true),
            ("https://LOCALHOST/", false, true),
            ("https://a.localhost./", false, true),
            ("https://[::1]/", false, false),
            ("https://[::ffff:127.0.0.1]/", false, true),
            ("https://10.0.0.1/", false, false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(public.check(&url).is_ok(), by_public, "{url}");
            assert_eq!(own.check(&url).is_ok(), by_own, "{url}");
        }
    }
}
