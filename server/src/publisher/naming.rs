//! Whether the names of a track follow a rule, which saves every viewer the table of names.

use swarmseal::content::Template;

use super::plan::Piece;

/// How the segments of a track can be named.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// A pattern and the number of the first segment.
    Template { pattern: String, start_number: u64 },
    /// All segments are ranges of one resource.
    Single { name: String },
    /// No rule.
    Table,
}

/// Finds the shortest way to name all pieces.
pub(crate) fn find(pieces: &[Piece], ranged: bool) -> Naming {
    let Some(first) = pieces.first() else {
        return Naming::Table;
    };
    if ranged {
        return match pieces.iter().all(|piece| piece.name == first.name) {
            true => Naming::Single {
                name: first.name.to_string(),
            },
            false => Naming::Table,
        };
    }
    find_template(pieces, first, digit_runs(&first.name))
}

/// The same for a track of which there may be one segment only so far, so that no second one tells which of several
/// numbers counts: not one in the ending, such as the 4 of `.m4s`.
pub(crate) fn find_growing(pieces: &[Piece], ranged: bool) -> Naming {
    let Some(first) = pieces.first().filter(|_| !ranged) else {
        return find(pieces, ranged);
    };
    let stem = first.name.rfind('.').unwrap_or(first.name.len());
    let mut runs = digit_runs(&first.name);
    runs.retain(|(_, end)| *end <= stem);
    find_template(pieces, first, runs)
}

fn find_template(pieces: &[Piece], first: &Piece, runs: Vec<(usize, usize)>) -> Naming {
    // The last number in a name is the likeliest to count.
    for (start, end) in runs.into_iter().rev() {
        let parts = (
            first.name.get(..start),
            first.name.get(start..end),
            first.name.get(end..),
        );
        let (Some(prefix), Some(digits), Some(suffix)) = parts else {
            continue;
        };
        let Ok(start_number) = digits.parse::<u64>() else {
            continue;
        };
        let width = digits.len();
        let numbers = [format!("$Number%0{width}d$"), "$Number$".to_owned()];
        let variables = numbers
            .into_iter()
            .skip(usize::from(width == 1))
            .chain(["$Time$".to_owned()]);
        for variable in variables {
            let pattern = format!(
                "{}{variable}{}",
                prefix.replace('$', "$$"),
                suffix.replace('$', "$$")
            );
            let Ok(template) = Template::parse(&pattern) else {
                continue;
            };
            let follows = pieces.iter().zip(start_number..).all(|(piece, number)| {
                let value = if template.is_time() { piece.start } else { number };
                template.name(value) == *piece.name
            });
            if follows {
                let start_number = if template.is_time() { 0 } else { start_number };
                return Naming::Template {
                    pattern,
                    start_number,
                };
            }
        }
    }
    Naming::Table
}

/// Beginnings and ends of the numbers in a name.
fn digit_runs(name: &str) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (position, _) in name.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match runs.last_mut() {
            Some((_, end)) if *end == position => *end += 1,
            _ => runs.push((position, position + 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(names: &[&str]) -> Vec<Piece> {
        let piece = |(index, name): (usize, &&str)| Piece {
            name: (*name).into(),
            range: None,
            length: None,
            start: index as u64 * 180_000,
            duration: 180_000,
            discontinuity: false,
        };
        names.iter().enumerate().map(piece).collect()
    }

    fn template(names: &[&str]) -> Option<(String, u64)> {
        match find(&pieces(names), false) {
            Naming::Template {
                pattern,
                start_number,
            } => Some((pattern, start_number)),
            _ => None,
        }
    }

    #[test]
    fn counting_names_become_templates() {
        let found = |names: &[&str]| template(names).unwrap();
        assert_eq!(
            found(&["v1/s008.m4s", "v1/s009.m4s", "v1/s010.m4s"]),
            ("v1/s$Number%03d$.m4s".into(), 8)
        );
        assert_eq!(found(&["s9.ts", "s10.ts"]), ("s$Number$.ts".into(), 9));
        assert_eq!(found(&["7/a.ts", "8/a.ts"]), ("$Number$/a.ts".into(), 7));
        assert_eq!(found(&["a$0.ts", "a$1.ts"]), ("a$$$Number$.ts".into(), 0));
        assert_eq!(
            found(&["t0.mp4", "t180000.mp4", "t360000.mp4"]),
            ("t$Time$.mp4".into(), 0)
        );
    }

    #[test]
    fn others_do_not() {
        assert_eq!(template(&["s1.ts", "s3.ts"]), None);
        assert_eq!(template(&["s1.ts", "t2.ts"]), None);
        assert_eq!(template(&["a.ts"]), None);
        assert_eq!(template(&["s99999999999999999999999999.ts"]), None);
        assert_eq!(find(&[], false), Naming::Table);
    }

    #[test]
    fn one_segment_is_enough_to_begin_with() {
        let found = |name: &str| match find_growing(&pieces(&[name]), false) {
            Naming::Template {
                pattern,
                start_number,
            } => (pattern, start_number),
            _ => panic!("{name}"),
        };
        assert_eq!(found("v1/s7.m4s"), ("v1/s$Number$.m4s".into(), 7));
        assert_eq!(found("v1/s007.mp4"), ("v1/s$Number%03d$.mp4".into(), 7));
        assert_eq!(find_growing(&pieces(&["s.m4s"]), false), Naming::Table);
    }

    #[test]
    fn ranges_of_one_resource_need_no_names() {
        let mut ranges = pieces(&["v.mp4", "v.mp4"]);
        assert_eq!(find(&ranges, true), Naming::Single { name: "v.mp4".into() });
        ranges[1].name = "w.mp4".into();
        assert_eq!(find(&ranges, true), Naming::Table);
    }
}
