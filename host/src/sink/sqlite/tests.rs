//! The database after scripted syncs, crashes included.

use rusqlite::types::Value;

use super::*;
use crate::sink::conformance::events::{full_read, page, raw_page, reset, schema, text_schema};
use crate::sink::conformance::{self, Rows, Target};

fn rows(path: &Path, table: &str) -> Rows {
    let connection = Connection::open(path).unwrap();
    let sql = format!("SELECT id, v FROM \"{table}\"");
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn pair(id: &str, value: &str) -> (String, String) {
    (id.to_owned(), value.to_owned())
}

struct Database(tempfile::TempDir);

impl Database {
    fn path(&self) -> PathBuf {
        self.0.path().join("crm.db")
    }
}

impl Target for Database {
    type Sink = Sqlite;

    fn open(&self) -> Sqlite {
        Sqlite::open(self.path()).unwrap()
    }

    fn rows(&self, stream: &str) -> Rows {
        let under_way = value(&self.path(), "SELECT total(full_read) FROM _sync_state");
        let staging = value(
            &self.path(),
            "SELECT total(1) FROM sqlite_schema WHERE name LIKE '_sync_new%' AND type = 'table'",
        );
        assert_eq!(staging, under_way, "tables of full reads that are complete");
        rows(&self.path(), &stored_name(stream))
    }
}

#[test]
fn conforms() {
    conformance::check(|| Database(tempfile::tempdir().unwrap()));
}

fn value(path: &Path, sql: &str) -> Value {
    Connection::open(path)
        .unwrap()
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

fn apply(sink: &mut Sqlite, events: impl IntoIterator<Item = Event>) {
    for event in events {
        sink.apply(&event).unwrap();
    }
}

#[test]
fn keys_of_several_columns_are_stored_deleted_and_swept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let mut sink = Sqlite::open(&path).unwrap();
    let schema = Event::Schema(Schema {
        stream: "t".to_owned(),
        primary_key: vec!["a".to_owned(), "b".to_owned()],
        row_schema: r#"{"properties":{"v":{"type":"string"},"a":{"type":"string"},
            "b":{"type":"integer"}}}"#
            .to_owned(),
        changes: Vec::new(),
    });
    let page = |operation, lines: &[&str], checkpoint: &str| {
        raw_page("t", operation, &(lines.join("\n") + "\n"), checkpoint)
    };
    apply(
        &mut sink,
        [
            schema,
            reset("t"),
            page(
                Operation::Snapshot,
                &[
                    r#"{"a":"x","b":1,"v":"1"}"#,
                    r#"{"a":"x","b":2,"v":"2"}"#,
                    r#"{"a":"y","b":1,"v":"3"}"#,
                    r#"{"a":"y","b":2,"v":"4"}"#,
                ],
                "c1",
            ),
            Event::Complete("t".to_owned()),
            page(Operation::Upsert, &[r#"{"a":"x","b":2,"v":"two"}"#], "c2"),
            page(Operation::Delete, &[r#"{"b":1,"a":"y"}"#], "c3"),
            Event::Sweep("t".to_owned()),
            page(
                Operation::Present,
                &[r#"{"b":2,"a":"x"}"#, r#"{"a":"y","b":2}"#],
                "c3",
            ),
        ],
    );
    let applied = sink.apply(&Event::Complete("t".to_owned())).unwrap();
    assert_eq!(applied.swept, 1);
    assert_eq!(
        value(
            &path,
            "SELECT group_concat(a || b || v, ' ' ORDER BY a) FROM t"
        ),
        Value::Text("x2two y24".to_owned())
    );
}

#[test]
fn a_replaced_table_keeps_its_indexes_and_views() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let mut sink = Sqlite::open(&path).unwrap();
    apply(&mut sink, full_read("t", &[("1", "a")]));
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE INDEX by_v ON t (v); CREATE VIEW seen AS SELECT v FROM t;")
        .unwrap();
    apply(&mut sink, [text_schema("t"), reset("t")]);
    assert_eq!(sink.checkpoint("t").unwrap(), None);
    apply(
        &mut sink,
        [page("t", Operation::Snapshot, &[("2", "b")], "c9")],
    );
    drop(sink);
    assert_eq!(rows(&path, "t"), Rows::from([pair("1", "a")]));

    let mut sink = Sqlite::open(&path).unwrap();
    assert_eq!(sink.checkpoint("t").unwrap().as_deref(), Some("c9"));
    apply(
        &mut sink,
        [text_schema("t"), Event::Complete("t".to_owned())],
    );
    assert_eq!(rows(&path, "t"), Rows::from([pair("2", "b")]));
    assert_eq!(
        value(
            &path,
            "SELECT seen.v FROM seen, t INDEXED BY by_v WHERE t.v = 'b'"
        ),
        Value::Text("b".to_owned())
    );
}

#[test]
fn columns_have_exact_types_and_new_ones_are_added() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let mut sink = Sqlite::open(&path).unwrap();
    let columns = r#""money":{"type":["number","null"]},"id":{"type":"string"},
        "big":{"type":["integer","null"]},"flag":{"type":"boolean"}"#;
    let row = r#"{"id":"1","money":100000000000.0000000001,"big":9007199254740993,"flag":true}"#;
    let wider = r#"{"id":"2","money":5,"Odd \"name\"":[1.50],"big":null,"flag":false}"#;
    apply(
        &mut sink,
        [
            schema("t", columns),
            reset("t"),
            raw_page("t", Operation::Snapshot, &format!("{row}\n{wider}\n"), "c1"),
            Event::Complete("t".to_owned()),
        ],
    );
    assert_eq!(
        value(
            &path,
            "SELECT money || ' ' || big || ' ' || flag FROM t WHERE id = '1'"
        ),
        Value::Text("100000000000.0000000001 9007199254740993 1".to_owned())
    );
    assert_eq!(
        value(
            &path,
            r#"SELECT "Odd ""name""" || money FROM t WHERE id = '2'"#
        ),
        Value::Text("[1.50]5".to_owned())
    );
    assert_eq!(
        value(&path, "SELECT big FROM t WHERE id = '2'"),
        Value::Null
    );

    // A column that the schema gained, and a row that no longer has a value.
    let gained = r#""id":{"type":"string"},"note":{"type":"string"}"#;
    apply(
        &mut sink,
        [
            schema("t", gained),
            raw_page(
                "t",
                Operation::Upsert,
                "{\"id\":\"1\",\"note\":\"x\"}\n",
                "c2",
            ),
        ],
    );
    assert_eq!(
        value(&path, "SELECT note FROM t WHERE money IS NULL"),
        Value::Text("x".to_owned())
    );
    assert_eq!(
        value(&path, "SELECT sql FROM sqlite_schema WHERE name = 't'"),
        Value::Text(
            "CREATE TABLE \"t\" (\"id\" TEXT NOT NULL, \"big\" INTEGER, \"flag\" INTEGER, \
             \"money\" TEXT, \"Odd \"\"name\"\"\" ANY, \"note\" TEXT, PRIMARY KEY (\"id\")) STRICT"
                .to_owned()
        )
    );
}

#[test]
fn a_retyped_column_keeps_its_values_and_accepts_any() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let mut sink = Sqlite::open(&path).unwrap();
    let old = r#""id":{"type":"string"},"n":{"type":"integer"},"r":{"type":"number",
        "format":"double"},"t":{"type":"string"},"gone":{"type":"boolean"}"#;
    let row = r#"{"id":"1","n":9007199254740993,"r":0.1,"t":"x","gone":true}"#;
    apply(
        &mut sink,
        [
            schema("t", old),
            reset("t"),
            raw_page("t", Operation::Snapshot, &format!("{row}\n"), "c1"),
            Event::Complete("t".to_owned()),
        ],
    );
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE INDEX by_n ON t (n)")
        .unwrap();
    let new = r#""id":{"type":"string"},"n":{"type":"string"},"r":{"type":"integer"},
        "t":{"type":"integer"},"more":{"type":"integer"}"#;
    let row = r#"{"id":"2","n":"many","r":9007199254740993,"t":5,"more":1}"#;
    apply(
        &mut sink,
        [
            schema("t", new),
            raw_page("t", Operation::Upsert, &format!("{row}\n"), "c2"),
        ],
    );
    let all = "SELECT group_concat(concat_ws(' ', n, r, t, gone, more), '; ' ORDER BY id)
               FROM t INDEXED BY by_n WHERE n IS NOT NULL";
    assert_eq!(
        value(&path, all),
        Value::Text("9007199254740993 0.1 x 1; many 9007199254740993 5 1".to_owned())
    );
    assert_eq!(
        value(&path, "SELECT sql FROM sqlite_schema WHERE name = 't'"),
        Value::Text(
            "CREATE TABLE \"t\" (\"id\" TEXT NOT NULL, \"gone\" INTEGER, \"n\" ANY, \"r\" ANY, \
             \"t\" TEXT, \"more\" INTEGER, PRIMARY KEY (\"id\")) STRICT"
                .to_owned()
        )
    );
}

#[test]
fn streams_with_similar_names_have_separate_tables() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let mut sink = Sqlite::open(&path).unwrap();
    let streams = [
        "view:Active Accounts",
        "view:active accounts",
        "audit-history:t",
    ];
    for stream in streams {
        apply(&mut sink, full_read(stream, &[("1", stream)]));
    }
    for stream in streams {
        let sql = format!("SELECT v FROM \"{}\"", stored_name(stream));
        assert_eq!(value(&path, &sql), Value::Text(stream.to_owned()));
        assert_eq!(sink.checkpoint(stream).unwrap().as_deref(), Some("c0"));
    }
}

#[test]
fn invalid_data_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let mut sink = Sqlite::open(&path).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(SinkError::InUse { .. })));
    apply(&mut sink, full_read("t", &[("1", "a")]));
    let torn = raw_page(
        "t",
        Operation::Upsert,
        "{\"id\":\"2\",\"v\":\"b\"}\n{\"id\":",
        "c2",
    );
    assert!(matches!(sink.apply(&torn), Err(SinkError::Data { .. })));
    let keyless = raw_page("t", Operation::Delete, "{\"v\":\"a\"}\n", "c2");
    assert!(matches!(sink.apply(&keyless), Err(SinkError::Data { .. })));
    assert_eq!(rows(&path, "t"), Rows::from([pair("1", "a")]));
    assert_eq!(sink.checkpoint("t").unwrap().as_deref(), Some("c0"));

    for taken in ["sqlite_x", "_sync_state", "_sync_new_t", ""] {
        assert!(
            matches!(sink.apply(&reset(taken)), Err(SinkError::Stream { .. })),
            "{taken}"
        );
    }
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE Mine (x)")
        .unwrap();
    let reset = sink.apply(&reset("mine"));
    assert!(
        matches!(reset, Err(SinkError::Stream { .. })),
        "a table that no sync made"
    );

    let text = directory.path().join("notes.txt");
    std::fs::write(&text, "this is no database, whatever its name may say").unwrap();
    let message = Sqlite::open(&text).unwrap_err().to_string();
    assert!(
        message.contains("it is not an SQLite database"),
        "{message}"
    );
}

#[test]
fn an_index_on_a_removed_column_blocks_the_replacement_until_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let mut sink = Sqlite::open(&path).unwrap();
    apply(&mut sink, full_read("t", &[("1", "a")]));
    let aside = Connection::open(&path).unwrap();
    aside.execute_batch("CREATE INDEX mine ON t (v)").unwrap();
    apply(
        &mut sink,
        [
            schema("t", r#""id":{"type":"string"}"#),
            reset("t"),
            raw_page("t", Operation::Snapshot, "{\"id\":\"2\"}\n", "c1"),
        ],
    );
    let complete = Event::Complete("t".to_owned());
    let refused = sink.apply(&complete).unwrap_err().to_string();
    assert!(
        refused.contains("index mine") && refused.contains("drop it"),
        "{refused}"
    );
    let old = value(&path, "SELECT id FROM t");
    assert_eq!(old, Value::Text("1".to_owned()), "the old rows stay");
    assert_eq!(sink.checkpoint("t").unwrap().as_deref(), Some("c1"));

    aside.execute_batch("DROP INDEX mine").unwrap();
    apply(&mut sink, [complete]);
    assert_eq!(
        value(&path, "SELECT id FROM t"),
        Value::Text("2".to_owned())
    );
}

#[test]
fn columns_that_differ_only_in_case_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut sink = Sqlite::open(directory.path().join("crm.db")).unwrap();
    let page = |line: &str| raw_page("t", Operation::Snapshot, line, "c0");
    for (columns, line) in [
        (r#""id":{},"name":{},"Name":{}"#, "{\"id\":1}\n"),
        (r#""id":{},"name":{}"#, "{\"id\":1,\"Name\":2}\n"),
    ] {
        apply(&mut sink, [schema("t", columns), reset("t")]);
        let refused = sink.apply(&page(line)).unwrap_err().to_string();
        assert!(refused.contains("only in case"), "{refused}");
    }
    let directory_itself = Sqlite::open(directory.path()).unwrap_err().to_string();
    assert!(
        directory_itself.contains("as a database"),
        "{directory_itself}"
    );
    assert!(!directory.path().with_extension("lock").exists());
}

#[test]
fn a_missing_table_is_reported_instead_of_resumed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let mut sink = Sqlite::open(&path).unwrap();
    apply(&mut sink, full_read("t", &[("1", "a")]));
    let aside = Connection::open(&path).unwrap();
    aside.execute_batch("ALTER TABLE t RENAME TO mine").unwrap();
    let refused = sink.checkpoint("t").unwrap_err().to_string();
    assert!(
        refused.contains("`t`") && refused.contains("in full again"),
        "{refused}"
    );
    apply(&mut sink, full_read("t", &[("1", "a")]));
    assert_eq!(sink.checkpoint("t").unwrap().as_deref(), Some("c0"));
}
