//! Tells Cargo about the files that are embedded into the binary, and lets the crate compile where the
//! dashboard was not built (no Node): the binary then says so at `/`.

use std::{fs, io};

fn main() -> io::Result<()> {
    for embedded in ["migrations", "sql", "web/dist"] {
        println!("cargo:rerun-if-changed={embedded}");
    }
    fs::create_dir_all("web/dist")
}
