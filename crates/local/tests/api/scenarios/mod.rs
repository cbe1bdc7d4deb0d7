//! What a client may count on, over HTTP alone: the same scenarios run over `local` and, with `LATCHKEY_URL`, over what was
//! deployed (`make e2e-stack`). Whatever differs between the two gateways says so where it is tolerated.
//!
//! No clock can be moved and no table looked into here; what needs that is in the other modules.

mod access;
mod cookies;
mod cors;
mod refused;
mod rotation;
mod sessions;
mod world;
