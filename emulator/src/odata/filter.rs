//! `$filter` expressions (reference §4.4).

pub(crate) use super::condition::{Comparison, Condition, Matching, Operand, Quantifier};
use super::{
    Literal, enumeration,
    lexer::{Token, tokens},
};
use crate::wire::ODataError;

/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 100;

/// Parses a filter.
pub(crate) fn parse(text: &str) -> Result<Condition, ODataError> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    let condition = parser.either()?;
    match parser.tokens.get(parser.at) {
        None => Ok(condition),
        Some((position, _)) => Err(parser.error_at(*position)),
    }
}

/// Parses the arguments of a function call: `Name=value,…` without the parentheses.
pub(crate) fn parse_arguments(text: &str) -> Result<Vec<(String, Operand)>, ODataError> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    if parser.tokens.is_empty() {
        return Ok(Vec::new());
    }
    let arguments = parser.arguments()?;
    if parser.at < parser.tokens.len() {
        return Err(parser.error());
    }
    Ok(arguments)
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).map(|(_, token)| token.clone());
        self.at += 1;
        token
    }

    fn eat_symbol(&mut self, symbol: char) -> bool {
        let found = self.peek() == Some(&Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn eat_name(&mut self, name: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(found)) if found == name);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: char) -> Result<(), ODataError> {
        if self.eat_symbol(symbol) {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    fn error(&self) -> ODataError {
        let position = self
            .tokens
            .get(self.at)
            .map_or(self.text.len(), |(at, _)| *at);
        self.error_at(position)
    }

    fn error_at(&self, position: usize) -> ODataError {
        ODataError::syntax(format!(
            "Syntax error at position {position} in '{}'.",
            self.text
        ))
    }

    fn either(&mut self) -> Result<Condition, ODataError> {
        let mut alternatives = vec![self.both()?];
        while self.eat_name("or") {
            alternatives.push(self.both()?);
        }
        Ok(single(alternatives, Condition::Or))
    }

    fn both(&mut self) -> Result<Condition, ODataError> {
        let mut parts = vec![self.negation()?];
        while self.eat_name("and") {
            parts.push(self.negation()?);
        }
        Ok(single(parts, Condition::And))
    }

    fn negation(&mut self) -> Result<Condition, ODataError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ODataError::syntax(
                "The query is nested too deeply: at most 100 levels are allowed.",
            ));
        }
        let condition = if self.eat_name("not") {
            Condition::Not(Box::new(self.negation()?))
        } else if self.eat_symbol('(') {
            let inner = self.either()?;
            self.expect(')')?;
            inner
        } else {
            self.simple()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn simple(&mut self) -> Result<Condition, ODataError> {
        let start = self.at;
        if let Some(Token::Name(name)) = self.peek().cloned()
            && matches!(self.tokens.get(start + 1), Some((_, Token::Symbol('('))))
        {
            self.at += 2;
            let call = self.call(&name)?;
            return self.compared_with_truth(call);
        }
        let left = match self.operand()? {
            Node::Operand(operand) => operand,
            Node::Condition(condition) => return self.compared_with_truth(condition),
        };
        let Some(Token::Name(name)) = self.peek().cloned() else {
            return Ok(Condition::Holds(left));
        };
        let Some(operator) = Comparison::parse(&name) else {
            return Ok(Condition::Holds(left));
        };
        self.at += 1;
        match self.operand()? {
            Node::Operand(right) => Ok(Condition::Compare {
                operator,
                left,
                right,
            }),
            Node::Condition(_) => Err(self.error()),
        }
    }

    /// `contains(…) eq true` says the same as `contains(…)`.
    fn compared_with_truth(&mut self, condition: Condition) -> Result<Condition, ODataError> {
        let equal = if self.eat_name("eq") {
            true
        } else if self.eat_name("ne") {
            false
        } else {
            return Ok(condition);
        };
        match self.next() {
            Some(Token::Literal(Literal::Boolean(truth))) if truth == equal => Ok(condition),
            Some(Token::Literal(Literal::Boolean(_))) => Ok(Condition::Not(Box::new(condition))),
            _ => Err(self.error()),
        }
    }

    fn call(&mut self, name: &str) -> Result<Condition, ODataError> {
        if let Some(kind) = Matching::parse(name) {
            let text = self.plain_operand()?;
            self.expect(',')?;
            let pattern = self.plain_operand()?;
            self.expect(')')?;
            return Ok(Condition::Match {
                kind,
                text,
                pattern,
            });
        }
        if let Some(function) = name.strip_prefix("Microsoft.Dynamics.CRM.") {
            let arguments = if self.eat_symbol(')') {
                Vec::new()
            } else {
                self.closed_arguments()?
            };
            return Ok(Condition::Function {
                name: function.to_owned(),
                arguments,
            });
        }
        Err(ODataError::syntax(format!(
            "An unknown function with name '{name}' was found. This may \
             also be a function import or a key lookup on a navigation property, which is not \
             allowed."
        )))
    }

    fn closed_arguments(&mut self) -> Result<Vec<(String, Operand)>, ODataError> {
        let arguments = self.arguments()?;
        self.expect(')')?;
        Ok(arguments)
    }

    fn arguments(&mut self) -> Result<Vec<(String, Operand)>, ODataError> {
        let mut arguments = Vec::new();
        loop {
            let Some(Token::Name(name)) = self.next() else {
                self.at -= 1;
                return Err(self.error());
            };
            self.expect('=')?;
            arguments.push((name, self.plain_operand()?));
            if !self.eat_symbol(',') {
                return Ok(arguments);
            }
        }
    }

    fn plain_operand(&mut self) -> Result<Operand, ODataError> {
        match self.operand()? {
            Node::Operand(operand) => Ok(operand),
            Node::Condition(_) => Err(self.error()),
        }
    }

    fn operand(&mut self) -> Result<Node, ODataError> {
        match self.next() {
            Some(Token::Literal(literal)) => Ok(Node::Operand(Operand::Literal(literal))),
            Some(Token::Alias(alias)) => Ok(Node::Operand(Operand::Alias(alias))),
            Some(Token::Name(name)) => self.path(name),
            _ => {
                self.at -= 1;
                Err(self.error())
            }
        }
    }

    fn path(&mut self, first: String) -> Result<Node, ODataError> {
        if let Some(kind) = first.strip_prefix("Microsoft.Dynamics.CRM.")
            && let Some(Token::Literal(Literal::Text(member))) = self.peek().cloned()
        {
            self.at += 1;
            let member = enumeration::member(kind, member)?;
            return Ok(Node::Operand(Operand::Literal(member)));
        }
        let mut path = vec![first];
        while self.eat_symbol('/') {
            let Some(Token::Name(name)) = self.next() else {
                self.at -= 1;
                return Err(self.error());
            };
            if (name == "any" || name == "all") && self.eat_symbol('(') {
                let quantifier = self.quantifier(&name)?;
                return Ok(Node::Condition(Condition::Lambda { path, quantifier }));
            }
            path.push(name);
        }
        Ok(Node::Operand(Operand::Path(path)))
    }

    fn quantifier(&mut self, name: &str) -> Result<Quantifier, ODataError> {
        if name == "any" && self.eat_symbol(')') {
            return Ok(Quantifier::Exists);
        }
        let Some(Token::Name(variable)) = self.next() else {
            self.at -= 1;
            return Err(self.error());
        };
        self.expect(':')?;
        let body = Box::new(self.either()?);
        self.expect(')')?;
        Ok(match name {
            "any" => Quantifier::Any { variable, body },
            _ => Quantifier::All { variable, body },
        })
    }
}

enum Node {
    Operand(Operand),
    Condition(Condition),
}

fn single(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            parts.push(last);
            many(parts)
        }
        (None, _) => many(parts),
    }
}

#[cfg(test)]
mod tests;
