//! Compiled components on disk, so that a start maps a file instead of compiling.
//!
//! Compiled code is trusted like the program itself, so the directory must belong to the user who
//! runs the host and be private. A file's name is a hash of the component and of the compiler's
//! version and configuration; a file is complete before it is renamed to it.

use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

/// A directory of compiled components.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    directory: PathBuf,
}

impl Cache {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The user's own cache directory, where there is one.
    pub(crate) fn default_directory() -> Option<PathBuf> {
        let absolute = |name| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
        };
        absolute("XDG_CACHE_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".cache")))
            .map(|base| base.join("dataverse-host"))
    }

    fn file(&self, engine: &Engine, wasm: &[u8]) -> PathBuf {
        let mut compiler = Blake(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut compiler);
        compiler.0.update(wasm);
        self.directory
            .join(format!("{}.cwasm", compiler.0.finalize().to_hex()))
    }

    /// The compiled form of this component, if it is cached and can be trusted.
    pub(crate) fn load(&self, engine: &Engine, wasm: &[u8]) -> Option<Component> {
        let file = self.file(engine, wasm);
        (is_private(&self.directory, true) && is_private(&file, false))
            .then(|| deserialize(engine, &file))?
    }

    /// Stores a compiled component. A cache that cannot be written is not an error: the next start
    /// compiles again.
    pub(crate) fn store(&self, engine: &Engine, wasm: &[u8], component: &Component) {
        let _unwritten = self.try_store(engine, wasm, component);
    }

    fn try_store(
        &self,
        engine: &Engine,
        wasm: &[u8],
        component: &Component,
    ) -> wasmtime::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.directory)?;
        if !is_private(&self.directory, true) {
            return Ok(());
        }
        let file = self.file(engine, wasm);
        let temporary = file.with_extension(format!("{}.new", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&temporary).and_then(|mut out| {
            out.write_all(&component.serialize().map_err(std::io::Error::other)?)?;
            out.sync_all()?;
            std::fs::rename(&temporary, &file)
        });
        if written.is_err() {
            let _absent = std::fs::remove_file(&temporary);
        }
        Ok(written?)
    }
}

#[expect(
    unsafe_code,
    reason = "mapping compiled code is unsafe; the comment below says why it is sound here"
)]
fn deserialize(engine: &Engine, file: &Path) -> Option<Component> {
    // SAFETY: `try_store` of this user wrote the complete file: the file and its directory belong
    // to the user and no other user may write them (`is_private`), and its name is the digest of the
    // component and of the compiler that made it. wasmtime checks version and configuration again.
    unsafe { Component::deserialize_file(engine, file) }.ok()
}

/// Whether a directory or regular file, not a link, belongs to this user and no other user can
/// change it.
#[cfg(unix)]
fn is_private(path: &Path, directory: bool) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).is_ok_and(|found| {
        let right_type = if directory {
            found.is_dir()
        } else {
            found.is_file()
        };
        let forbidden = if directory { 0o077 } else { 0o022 };
        right_type
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.mode() & forbidden == 0
    })
}

/// Ownership is not checked on other systems, so nothing is trusted and every start compiles.
#[cfg(not(unix))]
fn is_private(_path: &Path, _directory: bool) -> bool {
    false
}

struct Blake(blake3::Hasher);

impl Hasher for Blake {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = *self.0.finalize().as_bytes();
        digest
            .first_chunk()
            .map_or(0, |head| u64::from_le_bytes(*head))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_private_files_of_the_user_are_trusted() {
        let base = tempfile::tempdir().unwrap();
        let cache = Cache::new(base.path().join("cache"));
        let engine = Engine::default();
        let wasm = b"\0asm\x0d\0\x01\0";
        let component = Component::new(&engine, wasm).unwrap();
        assert!(cache.load(&engine, wasm).is_none());
        cache.store(&engine, wasm, &component);
        assert!(cache.load(&engine, wasm).is_some());
        assert!(
            cache.load(&engine, b"another").is_none(),
            "another component"
        );

        let set_mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let file = cache.file(&engine, wasm);
        set_mode(&file, 0o666);
        assert!(
            cache.load(&engine, wasm).is_none(),
            "a file that others may write"
        );
        set_mode(&file, 0o600);
        set_mode(&cache.directory, 0o777);
        assert!(
            cache.load(&engine, wasm).is_none(),
            "a directory that others may write"
        );
        set_mode(&cache.directory, 0o700);
        let elsewhere = base.path().join("elsewhere");
        std::fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
        assert!(cache.load(&engine, wasm).is_none(), "a link");
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, b"garbage").unwrap();
        set_mode(&file, 0o600);
        assert!(cache.load(&engine, wasm).is_none(), "a broken file");
    }
}
