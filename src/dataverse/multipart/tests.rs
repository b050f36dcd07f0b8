use proptest::prelude::*;

use super::*;
use crate::dataverse::environment::Environment;
use crate::dataverse::link::Link;
use crate::dataverse::request::{Item, Request};
use crate::host::Method;
use crate::settings::Settings;
use crate::simulation::SETTINGS;

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
    let summary = |part| match part {
        Part::Response(response) => (
            response.status,
            response.headers.len(),
            body[response.body].to_owned(),
        ),
        Part::ChangeSet(_) => panic!("a change set"),
    };
    let parts = super::read(body.as_bytes(), boundary)?;
    Some(parts.into_iter().map(summary).collect())
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
fn an_incomplete_body_is_rejected() {
    for length in 0..BATCH.len() - "--\n".len() {
        assert_eq!(read(&BATCH[..length], "b_1"), None, "{length}");
    }
    assert_eq!(read("{\"error\": {}}", "b_1"), None);
    assert_eq!(read("--b_1--", "b_1").unwrap(), []);
}

#[test]
fn the_boundary_is_read_from_the_content_type() {
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
    fn no_text_causes_a_panic(text in "(--b|--c|\r?\n|HTTP/1.1 200|Content-ID: 1|Content-Type: multipart/mixed; boundary=c|x: y|--|[a-z{}:]){0,40}") {
        let _ = super::read(text.as_bytes(), "b");
    }
}

#[test]
fn change_sets_and_content_ids_are_read() {
    let body = "--b\r\nContent-Type: multipart/mixed; boundary=\"c\"\r\nContent-Length: 9\r\n\r\n\
                --c\r\nContent-Type: application/http\r\nContent-ID: 7\r\n\r\n\
                HTTP/1.1 204 No Content\r\n\r\n\r\n\
                --c\r\nContent-Type: application/http\r\n\r\n\
                HTTP/1.1 400 Bad Request\r\nContent-ID: 8\r\n\r\n{}\r\n\
                --c--\r\n\r\n\
                --b--\r\n";
    let parts = super::read(body.as_bytes(), "b").unwrap();
    let [Part::ChangeSet(responses)] = &parts[..] else {
        panic!("{parts:?}")
    };
    let summary: Vec<_> = responses
        .iter()
        .map(|it| (it.content_id, it.status, body[it.body.clone()].trim_end()))
        .collect();
    assert_eq!(summary, [(Some(7), 204, ""), (Some(8), 400, "{}")]);
    // A change set without its end is incomplete, and so is a body that is cut anywhere.
    let incomplete = body.replace("--c--", "");
    assert_eq!(super::read(incomplete.as_bytes(), "b"), None);
    for body in [body, &body.replace("\r\n", "\n")] {
        for length in 0..body.trim_end().len() {
            let cut = &body.as_bytes()[..length];
            assert_eq!(super::read(cut, "b"), None, "{length}");
        }
    }
}

#[test]
fn the_order_of_items_is_kept_in_whatever_form_they_come() {
    let body = "preamble\n--b\n\
                Content-Type: application/http\nContent-Length: 99\n\nHTTP/1.1 204\n\n\
                --b\n\
                content-type: multipart/mixed;boundary=\"B\"\n\npreamble\n--B\n\
                content-type: application/http\ncontent-id: 2\n\nHTTP/1.1 204\n\
                --B--\nepilogue --b\n\
                --b\n\
                Content-Type: application/http\n\nHTTP/1.1 404 Not Found\nContent-Length: 2\n\n{}\n\
                --b--\n--b\nepilogue";
    for body in [body.to_owned(), body.replace('\n', "\r\n")] {
        let parts = super::read(body.as_bytes(), "b").unwrap();
        let [
            Part::Response(first),
            Part::ChangeSet(set),
            Part::Response(last),
        ] = &parts[..]
        else {
            panic!("{parts:?}")
        };
        assert_eq!((first.status, first.body.len()), (204, 0));
        assert_eq!(
            (set.len(), set[0].content_id, set[0].status),
            (1, Some(2), 204)
        );
        assert_eq!((last.status, &body[last.body.clone()]), (404, "{}"));
    }
}

/// Parses a batch as a server does: each request with its number, and its body.
fn echo(body: &[u8], boundary: &str) -> Vec<(Option<String>, String, String)> {
    fn parts<'b>(body: &'b str, boundary: &str) -> Vec<&'b str> {
        let end = format!("--{boundary}--\r\n");
        let body = &body[..body.find(&end).unwrap()];
        let begin = format!("--{boundary}\r\n");
        let parts = body.split(begin.as_str()).skip(1);
        parts
            .map(|part| part.strip_suffix("\r\n").unwrap_or(part))
            .collect()
    }
    let mut requests = Vec::new();
    for part in parts(std::str::from_utf8(body).unwrap(), boundary) {
        let (head, rest) = part.split_once("\r\n\r\n").unwrap();
        let inner = match head.split_once("boundary=\"") {
            Some((_, inner)) => parts(rest, inner.trim_end_matches('"')),
            None => vec![part],
        };
        for request in inner {
            let (head, rest) = request.split_once("\r\n\r\n").unwrap();
            let id = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-ID: "));
            let (head, body) = rest.split_once("\r\n\r\n").unwrap();
            let line = head.lines().next().unwrap();
            requests.push((id.map(str::to_owned), line.to_owned(), body.to_owned()));
        }
    }
    requests
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(
        items in proptest::collection::vec(
            proptest::collection::vec(("[a-z]{1,9}", "[a-z{}\":\r\n-]{0,30}", 0_usize..5), 1..4),
            0..6,
        ),
        value in "[ -~]{0,20}",
    ) {
        let environment = Environment::of(&Settings::parse(SETTINGS).unwrap());
        let methods =
            [Method::Get, Method::Post, Method::Patch, Method::Put, Method::Delete];
        let links: Vec<Vec<Link>> = items
            .iter()
            .map(|item| {
                let names = item.iter().map(|(name, ..)| name);
                names.map(|name| Link::resource(&environment, name).unwrap()).collect()
            })
            .collect();
        let mut expected = Vec::new();
        let mut batch = Vec::new();
        for (item, links) in items.iter().zip(&links) {
            let is_set = item.len() > 1;
            let mut requests = Vec::new();
            for ((name, text, method), link) in item.iter().zip(links) {
                let method = methods[*method];
                let number = (expected.len() + 1).to_string();
                let line = format!("{} /api/data/v9.2/{name} HTTP/1.1", method.as_str());
                expected.push((is_set.then_some(number), line, text.clone()));
                let request = Request::new(method, link).with_header("X-Value", &value).unwrap();
                requests.push(request.with_json(text.clone()));
            }
            batch.push(if is_set {
                Item::ChangeSet(requests)
            } else {
                Item::One(requests.remove(0))
            });
        }
        let body = super::write("b_1", "/api/data/v9.2/", &batch, &[]);
        prop_assert_eq!(echo(&body, "b_1"), expected);
    }
}

#[test]
fn a_header_of_a_request_replaces_the_ordinary_one_in_its_part_too() {
    let environment = Environment::of(&Settings::parse(SETTINGS).unwrap());
    let link = Link::resource(&environment, "accounts(1)/note/$value?x=ä").unwrap();
    let part = |request: Request<'_>| {
        let body = super::write("b", "/api/data/v9.2/", &[Item::One(request)], &[]);
        String::from_utf8(body).unwrap()
    };
    let read = part(Request::new(Method::Get, &link));
    assert!(read.contains("GET /api/data/v9.2/accounts(1)/note/$value?x=%C3%A4 HTTP/1.1\r\n"));
    assert!(read.contains("\r\nAccept: */*\r\n"), "{read}");
    let own = Request::new(Method::Get, &link)
        .with_header("if-none-match", "W/\"7\"")
        .and_then(|it| it.with_header("Accept", "text/plain"));
    let read = part(own.unwrap());
    for (name, line) in [
        ("if-none-match:", "if-none-match: W/\"7\"\r\n"),
        ("accept:", "Accept: text/plain\r\n"),
    ] {
        assert_eq!(read.to_lowercase().matches(name).count(), 1, "{read}");
        assert!(read.contains(line), "{read}");
    }
}
