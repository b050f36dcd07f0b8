//! Bodies of several parts, as batches travel (reference 8.1, 8.2).

use std::ops::Range;

use memchr::memchr;

use crate::host::{Header, Response};

/// The boundary that the `Content-Type` of a multipart body names, with quotes or without.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let is_multipart = kind.trim().eq_ignore_ascii_case("multipart/mixed");
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim().trim_matches('"'))
        .filter(|boundary| is_multipart && !boundary.is_empty())
}

/// The answers of a batch, in their order: each with its head, and where its body is. None if
/// the text is no batch, or if its end is missing.
pub(super) fn answers(body: &[u8], boundary: &str) -> Option<Vec<(Response, Range<usize>)>> {
    parts(body, boundary)?
        .into_iter()
        .map(|part| answer(body, part))
        .collect()
}

/// Where the parts are.
fn parts(body: &[u8], boundary: &str) -> Option<Vec<Range<usize>>> {
    let mut parts = Vec::new();
    let mut began = None;
    let mut lines = Lines { body, at: 0 };
    loop {
        let start = lines.at;
        let line = lines.next()?;
        let Some(rest) = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary.as_bytes()))
        else {
            continue;
        };
        let is_last = match rest.trim_ascii_end() {
            b"" => false,
            b"--" => true,
            _ => continue,
        };
        // The line break before a boundary belongs to the boundary.
        if let Some(began) = began.replace(lines.at) {
            parts.push(began..without_line_break(body, began, start));
        }
        if is_last {
            return Some(parts);
        }
    }
}

fn without_line_break(body: &[u8], from: usize, to: usize) -> usize {
    let text = body.get(from..to).unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    from + text.len()
}

/// Takes one part apart: its own headers, then a status line, the answer's headers, its body.
fn answer(body: &[u8], part: Range<usize>) -> Option<(Response, Range<usize>)> {
    let mut lines = Lines {
        body: body.get(..part.end)?,
        at: part.start,
    };
    while !lines.next()?.is_empty() {}
    // Some put more than one empty line there.
    let mut status_line = lines.next()?;
    while status_line.is_empty() {
        status_line = lines.next()?;
    }
    let mut words = std::str::from_utf8(status_line).ok()?.split(' ');
    let status = words
        .next()
        .filter(|version| version.starts_with("HTTP/"))
        .and(words.next())?
        .parse()
        .ok()?;
    let mut headers = Vec::new();
    // An answer without a body may end with its head.
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        // What is no text, or no header, says nothing.
        let header = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.split_once(':'));
        if let Some((name, value)) = header {
            headers.push(Header::new(name.trim().to_owned(), value.trim()));
        }
    }
    let head = Response {
        status,
        headers,
        body: Vec::new(),
    };
    Some((head, lines.at.min(part.end)..part.end))
}

/// Lines that end with CR LF or LF, without their ends.
struct Lines<'b> {
    body: &'b [u8],
    at: usize,
}

impl<'b> Iterator for Lines<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        self.at += (end + 1).min(rest.len());
        let line = rest.get(..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BATCH: &str = "preamble\n\
        --b_1\n\
        Content-Type: application/http\n\
        Content-Transfer-Encoding: binary\n\
        \n\
        HTTP/1.1 200 OK\n\
        Content-Type: application/json; odata.metadata=minimal\n\
        OData-Version: 4.0\n\
        \n\
        {\"value\":\"--b_10\"}\n\
        --b_1\n\
        Content-Type: application/http\n\
        \n\
        \n\
        HTTP/1.1 404\n\
        REQ_ID: 7\n\
        \n\
        {\"error\":{}}\n\
        \n\
        --b_1 \n\
        Content-Type: application/http\n\
        \n\
        HTTP/1.1 204 No Content\n\
        --b_1--\n";

    fn read(body: &str, boundary: &str) -> Option<Vec<(u16, usize, String)>> {
        let answers = answers(body.as_bytes(), boundary)?;
        Some(
            answers
                .into_iter()
                .map(|(head, range)| (head.status, head.headers.len(), body[range].to_owned()))
                .collect(),
        )
    }

    #[test]
    fn parts_are_found_with_either_line_end() {
        for (line_end, gap) in [("\n", "\n"), ("\r\n", "\r\n")] {
            let body = BATCH.replace('\n', line_end);
            assert_eq!(
                read(&body, "b_1").unwrap(),
                [
                    (200, 2, "{\"value\":\"--b_10\"}".to_owned()),
                    (404, 1, format!("{{\"error\":{{}}}}{gap}")),
                    (204, 0, String::new()),
                ]
            );
        }
    }

    #[test]
    fn what_is_cut_off_is_no_batch() {
        for length in 0..BATCH.len() - "--\n".len() {
            assert_eq!(read(&BATCH[..length], "b_1"), None, "{length}");
        }
        assert_eq!(read("{\"error\": {}}", "b_1"), None);
        assert_eq!(read("--b_1--", "b_1").unwrap(), []);
    }

    #[test]
    fn the_boundary_is_what_the_header_says() {
        for (content_type, expected) in [
            (
                "multipart/mixed; boundary=batchresponse_1",
                Some("batchresponse_1"),
            ),
            (
                "Multipart/Mixed; charset=utf-8; Boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/mixed; boundary=", None),
            ("multipart/mixed", None),
            ("application/json; boundary=a", None),
        ] {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(--b|\r?\n|HTTP/1.1 200|x: y|--|[a-z{}:]){0,30}") {
            let _ = read(&text, "b");
        }
    }
}
