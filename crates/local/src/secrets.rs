//! Secrets that the template has Secrets Manager generate: made here at random, and kept beside the data, so that tokens
//! outlive a restart.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use auth_core::random::Random;

use crate::engine::{beside, make_private_folder, private};
use crate::template::SecretReference;

/// As many letters and digits as carry 512 bits, the most that an HMAC can use (RFC 7518 §3.2).
const LENGTH: usize = 86;

/// The secrets of a local deployment.
pub struct Secrets {
    /// Held from the reading to the writing: of two processes that start at the same time, the second finds what the first made.
    _lock: Option<File>,
    file: Option<PathBuf>,
    values: Mutex<BTreeMap<String, String>>,
    random: Random,
}

impl Secrets {
    /// The secrets that `file` holds; without a file they live as long as the process.
    ///
    /// # Errors
    /// One line, if the file is there and cannot be read.
    pub fn load(file: Option<PathBuf>, random: Random) -> Result<Self, String> {
        let lock = file.as_deref().map(lock).transpose();
        let lock = lock.map_err(|error| fault(file.as_deref(), &error.to_string()))?;
        let text = match file.as_deref().map(fs::read_to_string) {
            Some(Ok(text)) => text,
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => "{}".to_owned(),
            Some(Err(error)) => return Err(fault(file.as_deref(), &error.to_string())),
            None => "{}".to_owned(),
        };
        let values = serde_json::from_str(&text).map_err(|_| {
            fault(file.as_deref(), "it is not the JSON that was written; remove it to start afresh")
        })?;
        Ok(Self { _lock: lock, file, values: Mutex::new(values), random })
    }

    /// The value of a secret, made up the first time that it is asked for.
    ///
    /// # Errors
    /// One line, if the system has no randomness.
    pub fn value(&self, secret: &SecretReference<'_>) -> Result<String, String> {
        let name = [secret.id, secret.key, secret.version].join("|");
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = values.get(&name) {
            return Ok(value.clone());
        }
        let value = generate(&self.random)?;
        values.insert(name, value.clone());
        Ok(value)
    }

    /// Writes the secrets to their file, readable by the owner alone, and lets the next process read them.
    ///
    /// # Errors
    /// One line, if the file cannot be written.
    pub fn save(self) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = {
            let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
            serde_json::json!(*values).to_string()
        };
        write_privately(file, &text).map_err(|error| fault(Some(file), &error.to_string()))
    }
}

/// Waits for the lock: another process holds it for a moment, while it starts.
fn lock(file: &Path) -> io::Result<File> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_folder(folder)?;
    }
    let lock =
        private(File::options().write(true).create(true).truncate(false)).open(beside(file, ".lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Writes a new file, readable by its owner alone, and puts it in place: a crash leaves the old text or the new one.
pub(crate) fn write_privately(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension("json.new");
    let mut opened = private(File::options().write(true).create(true).truncate(true)).open(&draft)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    fs::rename(&draft, file)
}

fn generate(random: &Random) -> Result<String, String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut secret = String::with_capacity(LENGTH);
    while secret.len() < LENGTH {
        let bytes: [u8; 64] = random.bytes().map_err(|error| error.to_string())?;
        // Only bytes below a multiple of 62, so that no letter is likelier than another.
        let letters =
            bytes.iter().filter(|byte| **byte < 248).filter_map(|byte| ALPHABET.get(usize::from(*byte % 62)));
        secret.extend(letters.map(|letter| char::from(*letter)).take(LENGTH - secret.len()));
    }
    Ok(secret)
}

fn fault(file: Option<&Path>, why: &str) -> String {
    let file = file.unwrap_or(Path::new("")).display();
    format!("the secrets in {file} cannot be used: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNING: SecretReference<'_> = SecretReference { id: "Signing", key: "", version: "" };

    #[test]
    fn a_secret_outlives_the_process_and_is_the_owners_alone() {
        let folder = std::env::temp_dir().join(format!("latchkey-secrets-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("data.db.secrets.json");
        let first = Secrets::load(Some(file.clone()), Random::system()).unwrap();
        let value = first.value(&SIGNING).unwrap();
        first.save().unwrap();
        let second = Secrets::load(Some(file.clone()), Random::system()).unwrap();
        assert_eq!(second.value(&SIGNING).unwrap(), value);
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777,
            0o600
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn secrets_are_long_plain_and_different() {
        let secrets = Secrets::load(None, Random::system()).unwrap();
        let value = secrets.value(&SIGNING).unwrap();
        assert!(value.len() == LENGTH && value.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(secrets.value(&SIGNING).unwrap(), value);
        assert_ne!(secrets.value(&SecretReference { version: "other", ..SIGNING }).unwrap(), value);
    }
}
