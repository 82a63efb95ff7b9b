//! The English sentences that contain a value.

use invitation_core::funnel::TimeRangeToRedeem;
use time::{Duration, OffsetDateTime, UtcOffset};

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

pub(super) fn relative_time(ahead: Duration) -> String {
    const STEPS: [(i64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = ahead.whole_seconds().saturating_abs();
    // Uses the largest unit in which the rounded duration is at least two. One day or hour is
    // enough if the duration is not shorter. One minute always is.
    let amount = STEPS.iter().find_map(|&(unit, name)| {
        let n = (seconds + unit / 2) / unit;
        let is_fit = n >= 2 || (n == 1 && (unit == 60 || seconds >= unit));
        is_fit.then(|| format!("{n} {name}{}", if n == 1 { "" } else { "s" }))
    });
    match amount {
        None => "now".to_owned(),
        Some(amount) if ahead.is_negative() => format!("{amount} ago"),
        Some(amount) => format!("in {amount}"),
    }
}

pub(super) fn absolute_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02} UTC", day(at), at.hour(), at.minute())
}

pub(super) fn exact_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02}:{:02} UTC", day(at), at.hour(), at.minute(), at.second())
}

fn day(at: OffsetDateTime) -> String {
    let month = at.month().to_string();
    let month = month.get(..3).unwrap_or(&month);
    format!("{} {month} {}", at.day(), at.year())
}

pub(super) fn summary(rows: usize, more: bool, what: &str) -> String {
    match (rows, more) {
        (0, _) => format!("No {what}s"),
        (1, false) => format!("1 {what}"),
        (n, false) => format!("{n} {what}s"),
        (n, true) => format!("{n} {what}s on this page, more follow"),
    }
}

pub(super) fn checked(good: usize, skipped: usize, bad: usize) -> String {
    let lines = |n: usize| if n == 1 { "1 line".to_owned() } else { format!("{n} lines") };
    let mut said = format!("{} in order", lines(good));
    for (n, what) in [(skipped, "left out"), (bad, "with mistakes")] {
        if n > 0 {
            said.extend([", ", &lines(n), " ", what]);
        }
    }
    said
}

pub(super) fn time_to_redeem(range: TimeRangeToRedeem) -> String {
    match (range.after.is_zero(), range.until) {
        (true, Some(until)) => format!("Up to {}", length(until)),
        (false, Some(until)) => format!("{} to {}", length(range.after), length(until)),
        (_, None) => format!("More than {}", length(range.after)),
    }
}

pub(super) fn median_to_redeem(range: TimeRangeToRedeem) -> String {
    match range.until {
        Some(until) => format!("Half of them were redeemed within {}.", length(until)),
        None => format!("Half of them took more than {}.", length(range.after)),
    }
}

/// Returns a duration in the largest unit that divides it.
fn length(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    let (n, unit) = match seconds {
        _ if seconds % 86_400 == 0 => (seconds / 86_400, "day"),
        _ if seconds % 3_600 == 0 => (seconds / 3_600, "hour"),
        _ if seconds % 60 == 0 => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn distances_are_told_in_the_unit_that_fits() {
        for (ahead, expected) in [
            (Duration::ZERO, "now"),
            (Duration::seconds(29), "now"),
            (Duration::seconds(90), "in 2 minutes"),
            (Duration::minutes(59), "in 59 minutes"),
            (Duration::hours(1), "in 1 hour"),
            (Duration::hours(23), "in 23 hours"),
            (Duration::days(7) - Duration::seconds(1), "in 7 days"),
            (-Duration::days(1), "1 day ago"),
            (-Duration::days(400), "400 days ago"),
        ] {
            assert_eq!(relative_time(ahead), expected);
        }
    }

    #[test]
    fn instants_are_told_in_utc() {
        assert_eq!(absolute_time(datetime!(2026-12-01 16:05 +2)), "1 Dec 2026, 14:05 UTC");
        assert_eq!(exact_time(datetime!(2026-11-28 19:05:12.9 UTC)), "28 Nov 2026, 19:05:12 UTC");
        assert_eq!(exact_time(datetime!(2026-11-28 19:05 +5:30)), "28 Nov 2026, 13:35:00 UTC");
    }

    #[test]
    fn words_begin_with_a_capital_in_any_alphabet() {
        assert_eq!(capitalised("staff"), "Staff");
        assert_eq!(capitalised("évêque"), "Évêque");
        assert_eq!(capitalised(""), "");
    }

    #[test]
    fn times_to_redeem_are_told_in_their_largest_unit() {
        let range = |after, until| TimeRangeToRedeem { after, until };
        let (minute, six, day) = (Duration::MINUTE, Duration::hours(6), Duration::DAY);
        for (range, text, median) in [
            (range(Duration::ZERO, Some(minute)), "Up to 1 minute", "within 1 minute."),
            (range(minute, Some(six)), "1 minute to 6 hours", "within 6 hours."),
            (range(six, Some(day)), "6 hours to 1 day", "within 1 day."),
            (range(90 * day, None), "More than 90 days", "Half of them took more than 90 days."),
        ] {
            assert_eq!(time_to_redeem(range), text);
            assert!(median_to_redeem(range).ends_with(median), "{text}");
        }
    }
}
