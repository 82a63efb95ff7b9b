//! What the tests share: the environment, sample data and reads of a store.

pub(crate) mod concurrent;
pub(crate) mod factory;
pub(crate) mod harness;
pub(crate) mod imports;
pub(crate) mod interrupt;
pub(crate) mod keys;
pub(crate) mod lease_oracle;
pub(crate) mod population;
pub(crate) mod quotas;
pub(crate) mod reads;
pub(crate) mod samples;
pub(crate) mod short_pages;
pub(crate) mod vouching;
