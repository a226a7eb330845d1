// Package outbound is the only place that dials. Checks and messages go where
// users say, so every connection passes a Guard, which judges the address that
// is really dialled: after DNS, for every address of a name and for the target
// of every redirect. A name that resolves to something else the second time
// (DNS rebinding) gains nothing by it.
//
// An address is refused when, in any of its forms,
//
//  1. no network of Allow holds it, and
//  2. a network of Deny holds it, or AllowPrivate is false and it is not on
//     the public internet by the IANA special-purpose registries.
//
// The forms of an address are itself without zone and IPv4 mapping, the IPv4
// address inside NAT64 (64:ff9b::/96, 64:ff9b:1::/48), 6to4 (2002::/16),
// IPv4-translated (::ffff:0:0:0/96) and IPv4-compatible ones, and loopback for the
// unspecified address, which systems connect to themselves.
package outbound
