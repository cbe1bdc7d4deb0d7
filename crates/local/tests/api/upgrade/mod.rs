//! A table, live tokens and settings of the first edition, under the functions of this one.

mod beside;
mod fixture;
mod limits;
mod readable;
mod record;
mod sessions;
