//! How filters are read.

use super::*;

fn path(name: &str) -> Operand {
    Operand::Path(name.split('/').map(str::to_owned).collect())
}

fn number(text: &str) -> Operand {
    Operand::Literal(Literal::Number(text.into()))
}

#[test]
fn and_binds_tighter_than_or() {
    let equal = |name: &str, value: &str| Condition::Compare {
        operator: Comparison::Equal,
        left: path(name),
        right: number(value),
    };
    assert_eq!(
        parse("a eq 1 or b eq 2 and not c eq 3").unwrap(),
        Condition::Or(vec![
            equal("a", "1"),
            Condition::And(vec![
                equal("b", "2"),
                Condition::Not(Box::new(equal("c", "3"))),
            ]),
        ])
    );
    assert!(matches!(
        parse("(a eq 1 or b eq 2) and c eq 3").unwrap(),
        Condition::And(_)
    ));
}

#[test]
fn lambdas_paths_and_functions_parse() {
    let Condition::Lambda {
        path: nav,
        quantifier: Quantifier::Any { variable, .. },
    } = parse("Account_Tasks/any(t:t/statecode eq 1 and contains(t/subject,'x'))").unwrap()
    else {
        panic!("no lambda")
    };
    assert_eq!(
        (nav.as_slice(), variable.as_str()),
        (["Account_Tasks".to_owned()].as_slice(), "t")
    );
    assert!(matches!(
        parse("Account_Tasks/any()").unwrap(),
        Condition::Lambda {
            quantifier: Quantifier::Exists,
            ..
        }
    ));
    assert_eq!(
        parse("Microsoft.Dynamics.CRM.LastXDays(PropertyName='modifiedon',PropertyValue=7)")
            .unwrap(),
        Condition::Function {
            name: "LastXDays".into(),
            arguments: vec![
                (
                    "PropertyName".into(),
                    Operand::Literal(Literal::Text("modifiedon".into()))
                ),
                ("PropertyValue".into(), number("7")),
            ],
        }
    );
    assert_eq!(
        parse("contains(name,'a') eq false").unwrap(),
        Condition::Not(Box::new(parse("contains(name,'a')").unwrap()))
    );
}

#[test]
fn syntax_errors_name_their_position() {
    for text in [
        "",
        "name eq",
        "name eq 'a' and",
        "(name eq 'a'",
        "eq 'a'",
        "name in ('a')",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    let error = parse("name eq 'a' name").unwrap_err();
    assert_eq!(
        error.message,
        "Syntax error at position 12 in 'name eq 'a' name'."
    );
    assert!(parse(&"(".repeat(10_000)).is_err());
    assert!(
        parse("tolower(name) eq 'a'")
            .unwrap_err()
            .message
            .contains("unknown function")
    );
}
