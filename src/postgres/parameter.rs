//! What can be given to a statement, and as what.
//!
//! The types are named by us, not asked for: a statement without a name, which is all that a pooler in transaction mode is sure to understand, has to be sent with
//! its values, before Postgres could say what it takes.

use tokio_postgres::types::{ToSql, Type};

/// A value for a placeholder of a statement.
pub trait Parameter: Sync {
    /// How it is written.
    fn value(&self) -> &(dyn ToSql + Sync);

    /// The placeholder's type.
    fn kind(&self) -> Type;
}

macro_rules! parameters {
    ($($kind:ident: $($value:ty),+;)+) => {
        $($(
            impl Parameter for $value {
                fn value(&self) -> &(dyn ToSql + Sync) {
                    self
                }

                fn kind(&self) -> Type {
                    Type::$kind
                }
            }
        )+)+
    };
}

parameters! {
    BOOL: bool, Option<bool>;
    INT4: i32, Option<i32>;
    INT8: i64, Option<i64>;
    TEXT: String, Option<String>, &str, Option<&str>;
    OID: u32;
    BYTEA: &[u8];
    INT8_ARRAY: Vec<i64>, &[i64], Vec<Option<i64>>;
    TEXT_ARRAY: Vec<String>, &[String], &[&str], Vec<&str>, Option<&[Box<str>]>;
    TIMESTAMPTZ: jiff::Timestamp, Option<jiff::Timestamp>;
}
