//! Where the CSV files are.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

/// The files an import reads.
#[derive(Debug, Clone)]
pub(super) enum Files {
    /// Files of a directory, each as it is or with `.gz` at the end of its name.
    Directory(PathBuf),
    /// Compressed files that are part of the program.
    Embedded(&'static [(&'static str, &'static [u8])]),
}

impl Files {
    /// Opens a file by the name the map gives it.
    pub(super) fn open(&self, name: &str) -> io::Result<csv::Reader<Box<dyn Read>>> {
        let input: Box<dyn Read> = match self {
            Self::Directory(directory) => open_in(directory, name)?,
            Self::Embedded(files) => {
                let (_, bytes) = files
                    .iter()
                    .find(|(known, _)| *known == name)
                    .ok_or(io::ErrorKind::NotFound)?;
                Box::new(MultiGzDecoder::new(*bytes))
            }
        };
        Ok(csv::Reader::from_reader(input))
    }
}

fn open_in(directory: &Path, name: &str) -> io::Result<Box<dyn Read>> {
    let plain = directory.join(name);
    let is_compressed = plain.extension().is_some_and(|extension| extension == "gz");
    match File::open(&plain) {
        Ok(file) if is_compressed => Ok(Box::new(MultiGzDecoder::new(BufReader::new(file)))),
        Ok(file) => Ok(Box::new(BufReader::new(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_compressed => {
            let file = File::open(directory.join(format!("{name}.gz")))?;
            Ok(Box::new(MultiGzDecoder::new(BufReader::new(file))))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn compressed_files_are_found_by_their_plain_names() {
        let place = tempfile::tempdir().unwrap();
        let file = File::create(place.path().join("rows.csv.gz")).unwrap();
        let mut compressed = GzEncoder::new(file, Compression::default());
        compressed.write_all("a,b\n1,ä\n".as_bytes()).unwrap();
        compressed.finish().unwrap();
        let files = Files::Directory(place.path().to_owned());
        for name in ["rows.csv", "rows.csv.gz"] {
            let record = files
                .open(name)
                .unwrap()
                .into_records()
                .next()
                .unwrap()
                .unwrap();
            assert_eq!(record.get(1), Some("ä"));
        }
        let missing = files.open("columns.csv").map(drop).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
