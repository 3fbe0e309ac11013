//! Declarations of TypeScript, as ts-rs makes them, and as the formatter of `web` wants them.

use std::fmt;

/// The most characters of a line: `lineWidth` in `web/biome.json`.
const WIDTH: usize = 110;

/// A type with its name.
pub(super) struct Declaration {
    pub(super) docs: Vec<String>,
    pub(super) name: String,
    pub(super) shape: Shape,
}

/// What a type is.
#[derive(Clone)]
pub(super) enum Shape {
    Object(Vec<Field>),
    Union(Vec<Shape>),
    Array(Box<Shape>),
    /// A name, with what it is applied to.
    Name(String, Vec<Shape>),
    /// A text, with its quotes.
    Literal(String),
}

/// A field of an object.
#[derive(Clone)]
pub(super) struct Field {
    docs: Vec<String>,
    name: String,
    optional: bool,
    shape: Shape,
}

impl Declaration {
    /// Reads what ts-rs has to say of a type.
    pub(super) fn parse(docs: &str, declaration: &str) -> Self {
        let mut rest = Rest(declaration);
        rest.expect("type");
        let name = rest.word();
        rest.expect("=");
        let shape = rest.union();
        rest.expect(";");
        assert!(rest.0.is_empty(), "more than one declaration: {declaration}");
        Self { docs: Rest(docs).docs(), name, shape }
    }
}

impl Shape {
    /// An object that has, for each member of a union of objects, what is under `content` by what is under `tag`.
    pub(super) fn by_tag(&self, tag: &str, content: &str) -> Self {
        let Self::Union(members) = self else { panic!("not a union") };
        let field = |member: &Self| {
            let (Self::Literal(name), shape) = (member.field(tag), member.field(content)) else { panic!("no tag") };
            Field { docs: Vec::new(), name: name.trim_matches('"').to_owned(), optional: false, shape: shape.clone() }
        };
        Self::Object(members.iter().map(field).collect())
    }

    fn field(&self, name: &str) -> &Self {
        let Self::Object(fields) = self else { panic!("not an object") };
        &fields.iter().find(|field| field.name == name).unwrap().shape
    }

    /// Calls with each name in it.
    pub(super) fn names(&self, each: &mut impl FnMut(&str)) {
        let within: Vec<&Self> = match self {
            Self::Object(fields) => fields.iter().map(|field| &field.shape).collect(),
            Self::Union(members) => members.iter().collect(),
            Self::Array(item) => vec![item],
            Self::Name(name, arguments) => {
                each(name);
                arguments.iter().collect()
            }
            Self::Literal(_) => Vec::new(),
        };
        for shape in within {
            shape.names(each);
        }
    }

    /// On a line, unless something in it has a comment.
    fn line(&self) -> Option<String> {
        let lines = |shapes: &[Self], between: &str| {
            Some(shapes.iter().map(Self::line).collect::<Option<Vec<_>>>()?.join(between))
        };
        Some(match self {
            Self::Object(fields) => {
                let fields: Option<Vec<_>> = fields.iter().map(Field::line).collect();
                format!("{{ {} }}", fields?.join("; "))
            }
            Self::Union(members) => lines(members, " | ")?,
            Self::Array(item) => match &**item {
                Self::Union(_) => format!("({})[]", item.line()?),
                _ => format!("{}[]", item.line()?),
            },
            Self::Name(name, arguments) if arguments.is_empty() => name.clone(),
            Self::Name(name, arguments) => format!("{name}<{}>", lines(arguments, ", ")?),
            Self::Literal(text) => text.clone(),
        })
    }
}

impl Field {
    fn line(&self) -> Option<String> {
        let optional = if self.optional { "?" } else { "" };
        self.docs.is_empty().then_some(())?;
        Some(format!("{}{optional}: {}", self.name, self.shape.line()?))
    }

    /// With its comment.
    fn write(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        write_docs(f, &self.docs, indent)?;
        let line = Self { docs: Vec::new(), ..self.clone() }.line().expect("an object in a field has a name");
        assert!(indent.len() + line.len() < WIDTH, "too long for a line, and to be declared by itself: {line}");
        writeln!(f, "{indent}{line};")
    }
}

fn write_docs(f: &mut fmt::Formatter<'_>, docs: &[String], indent: &str) -> fmt::Result {
    match docs {
        [] => Ok(()),
        [line] => writeln!(f, "{indent}/** {line} */"),
        lines => {
            writeln!(f, "{indent}/**")?;
            for line in lines {
                writeln!(f, "{}", format!("{indent} * {line}").trim_end())?;
            }
            writeln!(f, "{indent} */")
        }
    }
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { docs, name, shape } = self;
        write_docs(f, docs, "")?;
        if let Shape::Object(fields) = shape {
            writeln!(f, "export interface {name} {{")?;
            fields.iter().try_for_each(|field| field.write(f, "  "))?;
            return writeln!(f, "}}");
        }
        let line = shape.line().map(|line| format!("export type {name} = {line};"));
        if let Some(line) = line.filter(|line| line.len() <= WIDTH) {
            return writeln!(f, "{line}");
        }
        let Shape::Union(members) = shape else { panic!("too long for a line: {name}") };
        write!(f, "export type {name} =")?;
        for member in members {
            write!(f, "\n  | ")?;
            match (member.line(), member) {
                (Some(line), _) => write!(f, "{line}")?,
                (None, Shape::Object(fields)) => {
                    writeln!(f, "{{")?;
                    fields.iter().try_for_each(|field| field.write(f, "      "))?;
                    write!(f, "    }}")?;
                }
                (None, _) => panic!("a comment within a type that is no object: {name}"),
            }
        }
        writeln!(f, ";")
    }
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// Whether this comes next; then it has been read.
    fn take(&mut self, text: &str) -> bool {
        let rest = self.0.trim_start().strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, text: &str) {
        assert!(self.take(text), "{text} is missing before {}", self.0);
    }

    fn up_to(&mut self, is_end: impl Fn(char) -> bool) -> String {
        let text = self.0.trim_start();
        let (read, rest) = text.split_at(text.find(is_end).unwrap_or(text.len()));
        self.0 = rest;
        read.to_owned()
    }

    fn word(&mut self) -> String {
        let word = self.up_to(|letter| !letter.is_ascii_alphanumeric() && letter != '_');
        assert!(!word.is_empty(), "a name is missing before {}", self.0);
        word
    }

    /// What is between quotes.
    fn quoted(&mut self) -> Option<String> {
        self.take("\"").then(|| {
            let text = self.up_to(|letter| letter == '"');
            self.expect("\"");
            text
        })
    }

    fn docs(&mut self) -> Vec<String> {
        if !self.take("/**") {
            return Vec::new();
        }
        let (docs, rest) = self.0.split_once("*/").expect("a comment ends");
        self.0 = rest;
        let lines = docs.trim().lines().map(|line| line.trim_start().trim_start_matches('*').trim().to_owned());
        lines.collect()
    }

    fn union(&mut self) -> Shape {
        let mut members = vec![self.member()];
        while self.take("|") {
            members.push(self.member());
        }
        if members.len() > 1 { Shape::Union(members) } else { members.remove(0) }
    }

    fn member(&mut self) -> Shape {
        if let Some(text) = self.quoted() {
            return Shape::Literal(format!("\"{text}\""));
        }
        if self.take("{") {
            let mut fields = Vec::new();
            while !self.take("}") {
                fields.push(self.field());
            }
            return Shape::Object(fields);
        }
        let (name, mut arguments) = (self.word(), Vec::new());
        if self.take("<") {
            while !self.take(">") {
                arguments.push(self.union());
                self.take(",");
            }
        }
        match (name.as_str(), arguments.as_slice()) {
            ("Array", [item]) => Shape::Array(Box::new(item.clone())),
            _ => Shape::Name(name, arguments),
        }
    }

    fn field(&mut self) -> Field {
        let docs = self.docs();
        let name = self.quoted().unwrap_or_else(|| self.word());
        let optional = self.take("?");
        self.expect(":");
        let shape = self.union();
        self.take(",");
        Field { docs, name, optional, shape }
    }
}
