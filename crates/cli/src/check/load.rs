//! The bytes of the inputs.

use super::files::{self, Input};
use std::io::Read as _;

/// Larger files are no manifests: the API server takes 3 MiB for one object.
const LARGEST: u64 = 32 << 20;

/// The bytes of an input; standard input is kept, since it can be read only once.
pub(crate) fn load(input: &Input, standard: &mut Option<Vec<u8>>) -> Result<Vec<u8>, String> {
    match input {
        Input::Standard => {
            if let Some(bytes) = standard {
                return Ok(bytes.clone());
            }
            let bytes = whole(std::io::stdin().lock())?;
            *standard = Some(bytes.clone());
            Ok(bytes)
        }
        Input::File(path) => whole(std::fs::File::open(path).map_err(|error| format!("cannot be opened: {}", files::reason(&error)))?),
        Input::Unreadable(_, reason) => Err(format!("cannot be opened: {reason}")),
    }
}

fn whole(reader: impl std::io::Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {}", files::reason(&error)))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(format!("this is larger than {} MiB: no manifest", LARGEST >> 20));
    }
    Ok(bytes)
}
