//! Templates: how the segments of a track are named when their names follow a rule.

use alloc::format;
use alloc::string::{String, ToString};
use core::ops::RangeInclusive;

/// A pattern with exactly one variable: `$Number$`, `$Number%0Nd$` or `$Time$`; `$$` stands for a dollar sign
/// (ISO/IEC 23009-1 §5.3.9.4.4, reduced to what names segments).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    prefix: String,
    variable: Variable,
    suffix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variable {
    /// Segment number, zero-padded to this many digits.
    Number { width: u8 },
    /// Media start in ticks.
    Time,
}

impl Template {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`TemplateError`] when it does not have exactly one variable of a known kind.
    pub fn parse(pattern: &str) -> Result<Self, TemplateError> {
        let (mut prefix, mut variable, mut suffix) = (String::new(), None, String::new());
        let mut rest = pattern;
        loop {
            let literal = if variable.is_none() {
                &mut prefix
            } else {
                &mut suffix
            };
            let Some((before, after)) = rest.split_once('$') else {
                literal.push_str(rest);
                break;
            };
            literal.push_str(before);
            let (name, after) = after.split_once('$').ok_or(TemplateError::UnknownVariable)?;
            rest = after;
            if name.is_empty() {
                literal.push('$');
            } else if variable.replace(Variable::parse(name)?).is_some() {
                return Err(TemplateError::VariableCount);
            }
        }
        Ok(Self {
            prefix,
            variable: variable.ok_or(TemplateError::VariableCount)?,
            suffix,
        })
    }

    /// Whether the variable is the media start rather than the number.
    #[must_use]
    pub fn is_time(&self) -> bool {
        self.variable == Variable::Time
    }

    /// The name for `value`: a segment number, or a media start in ticks.
    #[must_use]
    pub fn name(&self, value: u64) -> String {
        let width = usize::from(self.width());
        format!("{}{value:0width$}{}", self.prefix, self.suffix)
    }

    /// The value for which [`Self::name`] gives exactly `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)?;
        if !is_digits(digits) || digits.is_empty() || digits.len() > MAX_WIDTH {
            return None;
        }
        digits.parse().ok().filter(|value| self.name(*value) == name)
    }

    /// Whether this template, over `values`, and `other`, over `other_values`, could give one name.
    ///
    /// `None` stands for values that are not known, as with `$Time$`. Where digits beside the variable make it hard
    /// to tell, the answer is yes.
    #[must_use]
    pub fn may_collide(
        &self,
        values: Option<RangeInclusive<u64>>,
        other: &Self,
        other_values: Option<RangeInclusive<u64>>,
    ) -> bool {
        if !differ_in_digits_only(&self.prefix, &other.prefix, str::strip_prefix)
            || !differ_in_digits_only(&self.suffix, &other.suffix, str::strip_suffix)
        {
            return false;
        }
        let (Some(values), Some(other_values)) = (values, other_values) else {
            return true;
        };
        if self.prefix != other.prefix || self.suffix != other.suffix {
            let (lengths, other_lengths) = (self.lengths(&values), other.lengths(&other_values));
            return lengths.start() <= other_lengths.end() && other_lengths.start() <= lengths.end();
        }
        let first = *values.start().max(other_values.start());
        let last = *values.end().min(other_values.end());
        // With different padding only numbers that fill the wider one are written alike.
        let padding = if self.width() == other.width() {
            0
        } else {
            self.width().max(other.width())
        };
        first <= last && digit_count(last) >= usize::from(padding)
    }

    fn width(&self) -> u8 {
        match self.variable {
            Variable::Number { width } => width,
            Variable::Time => 1,
        }
    }

    /// Lengths that names over `values` may have.
    fn lengths(&self, values: &RangeInclusive<u64>) -> RangeInclusive<usize> {
        let fixed = self.prefix.len() + self.suffix.len();
        let length = |value| fixed + digit_count(value).max(usize::from(self.width()));
        length(*values.start())..=length(*values.end())
    }
}

impl Variable {
    fn parse(name: &str) -> Result<Self, TemplateError> {
        match name {
            "Number" => Ok(Self::Number { width: 1 }),
            "Time" => Ok(Self::Time),
            _ => {
                let width = name
                    .strip_prefix("Number%0")
                    .and_then(|rest| rest.strip_suffix('d'));
                let digits = width.ok_or(TemplateError::UnknownVariable)?;
                let width = digits
                    .parse()
                    .ok()
                    .filter(|width| (1..=MAX_WIDTH as u8).contains(width));
                // One text for one width: neither "%003d" nor "%0+3d".
                let width = width.filter(|width| width.to_string() == digits);
                width
                    .map(|width| Self::Number { width })
                    .ok_or(TemplateError::Width)
            }
        }
    }
}

/// Why a pattern is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A dollar sign that opens no variable and is not doubled.
    #[error("a dollar sign opens no known variable")]
    UnknownVariable,
    /// No variable, or more than one.
    #[error("a pattern needs exactly one variable")]
    VariableCount,
    /// A width that is not 1 to 20 digits.
    #[error("a width must be %01d to %020d")]
    Width,
}

/// Digits of the largest 64-bit number.
const MAX_WIDTH: usize = 20;

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn digit_count(value: u64) -> usize {
    value.checked_ilog10().unwrap_or(0) as usize + 1
}

/// Whether one text is the other with nothing but digits added on the side of the variable.
fn differ_in_digits_only<'a>(a: &'a str, b: &'a str, strip: fn(&'a str, &'a str) -> Option<&'a str>) -> bool {
    strip(a, b).or_else(|| strip(b, a)).is_some_and(is_digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(pattern: &str) -> Template {
        Template::parse(pattern).unwrap()
    }

    proptest! {
        #[test]
        fn a_name_gives_its_value_back(value: u64, width in 1..=20u8) {
            for pattern in ["v/$Number$.m4s".to_owned(), format!("v1$Number%0{width}d$2"), "$$-$Time$".to_owned()] {
                let template = template(&pattern);
                prop_assert_eq!(template.value(&template.name(value)), Some(value));
            }
        }

        #[test]
        fn templates_that_meet_are_found_out(
            a in "[01]{0,2}\\$Number(%0[1-3]d)?\\$[01]{0,2}",
            b in "[01]{0,2}\\$Number(%0[1-3]d)?\\$[01]{0,2}",
            start in 0..200u64,
            other_start in 0..200u64,
        ) {
            let (a, b) = (template(&a), template(&b));
            let (values, other_values) = (start..=start + 30, other_start..=other_start + 30);
            let meet = values.clone().any(|value| b.value(&a.name(value)).is_some_and(|v| other_values.contains(&v)));
            let told = a.may_collide(Some(values.clone()), &b, Some(other_values.clone()));
            prop_assert!(told || !meet);
            prop_assert_eq!(told, b.may_collide(Some(other_values), &a, Some(values)));
        }
    }

    #[test]
    fn only_the_one_written_form_matches() {
        let padded = template("v/$Number%05d$.ts");
        assert_eq!(padded.value("v/00012.ts"), Some(12));
        assert_eq!(padded.value("v/123456.ts"), Some(123_456));
        for other in [
            "v/12.ts",
            "v/0123456.ts",
            "v/+0012.ts",
            "v/.ts",
            "v/00012.tsx",
            "x/v/00012.ts",
        ] {
            assert_eq!(padded.value(other), None, "{other}");
        }
        assert_eq!(template("$Number$").value("18446744073709551616"), None);
    }

    #[test]
    fn neighbouring_renditions_do_not_collide() {
        let all = Some(1..=100u64);
        let collide = |a: &str, b: &str| template(a).may_collide(all.clone(), &template(b), all.clone());
        assert!(!collide("v0/$Number$.m4s", "v1/$Number$.m4s"));
        assert!(!collide("v0$Number%05d$.ts", "v1$Number%05d$.ts"));
        assert!(!collide("v$Number%05d$.ts", "v1$Number%05d$.ts"));
        assert!(collide("v$Number$.ts", "v1$Number$.ts"));
        assert!(collide("v$Number$.ts", "v$Number%02d$.ts"));
        assert!(!collide("v$Number$.ts", "v$Number%04d$.ts"));
        assert!(!template("s$Number$").may_collide(Some(0..=9), &template("s$Number$"), Some(10..=19)));
        assert!(template("s$Time$").may_collide(None, &template("s$Number$"), Some(10..=19)));
    }

    #[test]
    fn patterns_have_exactly_one_variable() {
        for (pattern, error) in [
            ("plain.ts", TemplateError::VariableCount),
            ("$Number$$Time$", TemplateError::VariableCount),
            ("$$$$", TemplateError::VariableCount),
            ("$Number", TemplateError::UnknownVariable),
            ("$Bandwidth$", TemplateError::UnknownVariable),
            ("$Number%5d$", TemplateError::UnknownVariable),
            ("$Number%00d$", TemplateError::Width),
            ("$Number%021d$", TemplateError::Width),
            ("$Number%0+5d$", TemplateError::Width),
        ] {
            assert_eq!(Template::parse(pattern), Err(error), "{pattern}");
        }
    }
}
