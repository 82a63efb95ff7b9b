//! Makes `register_postgres` of the example `register`: the same source with one type replaced.

use std::{env, error::Error, fs, path::Path};

const SOURCE: &str = "../register.rs";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    let source = fs::read_to_string(SOURCE)?;
    // The import and the alias, and no other place.
    if source.matches("SqliteStore").count() != 2 || !source.contains("type Store = SqliteStore;") {
        return Err("examples/register.rs must name its store in one type alias".into());
    }
    // `include!` accepts no documentation of the file.
    let lines = source.lines().filter(|line| !line.starts_with("//!"));
    let lines: Vec<_> = lines.map(|line| line.replace("SqliteStore", "PgStore")).collect();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("register_postgres.rs"), lines.join("\n"))?;
    Ok(())
}
