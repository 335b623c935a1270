//! Sessions in groups: what waits comes first, then what is pinned, then by the day they were last used on.

use crate::{
    protocol::{Listed, Status},
    ui::{widgets::minutes, words::words},
};

const MINUTES_A_DAY: i64 = 24 * 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Waiting,
    Pinned,
    Today,
    Yesterday,
    ThisWeek,
    LastWeek,
    Older,
}

impl Group {
    pub fn label(self) -> &'static str {
        let w = &words().sessions;
        match self {
            Self::Waiting => w.group_waiting,
            Self::Pinned => w.group_pinned,
            Self::Today => w.group_today,
            Self::Yesterday => w.group_yesterday,
            Self::ThisWeek => w.group_week,
            Self::LastWeek => w.group_last_week,
            Self::Older => w.group_older,
        }
    }
}

/// Where a session stands on `today`, both in the reader's days since 1970.
pub fn group(listed: &Listed, status: Status, today: i64, minutes_ahead: i64) -> Group {
    if super::state::is_waiting(status) {
        return Group::Waiting;
    }
    if listed.pinned {
        return Group::Pinned;
    }
    let day = minutes(&listed.last_active_at).map_or(0, |minutes| (minutes + minutes_ahead).div_euclid(MINUTES_A_DAY));
    // 1970 began on a Thursday; weeks begin on Monday.
    let monday = today - (today + 3).rem_euclid(7);
    match day {
        _ if day >= today => Group::Today,
        _ if day == today - 1 => Group::Yesterday,
        _ if day >= monday => Group::ThisWeek,
        _ if day >= monday - 7 => Group::LastWeek,
        _ => Group::Older,
    }
}

pub fn day(iso: &str, minutes_ahead: i64) -> i64 {
    (minutes(iso).unwrap_or_default() + minutes_ahead).div_euclid(MINUTES_A_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::SessionId;

    fn listed(at: &str) -> Listed {
        Listed {
            id: SessionId("a".repeat(32)),
            title: String::new(),
            status: Status::Idle,
            last_active_at: at.into(),
            archived: false,
            pinned: false,
        }
    }

    #[test]
    fn groups_follow_the_readers_calendar() {
        // A Monday.
        let today = day("2026-11-30T12:00:00.000Z", 0);
        let at = |iso: &str| group(&listed(iso), Status::Idle, today, 0);
        assert_eq!(at("2026-11-30T00:00:00.000Z"), Group::Today);
        assert_eq!(at("2026-11-29T23:59:00.000Z"), Group::Yesterday);
        assert_eq!(at("2026-11-28T10:00:00.000Z"), Group::LastWeek);
        assert_eq!(at("2026-11-22T10:00:00.000Z"), Group::Older);
        let wednesday = day("2026-12-02T12:00:00.000Z", 0);
        assert_eq!(group(&listed("2026-11-30T10:00:00.000Z"), Status::Idle, wednesday, 0), Group::ThisWeek);
        // An hour ahead, the last hour of the day before is today.
        assert_eq!(group(&listed("2026-11-29T23:30:00.000Z"), Status::Idle, today, 60), Group::Today);
    }

    #[test]
    fn what_waits_goes_before_everything() {
        let mut pinned = listed("2020-01-01T00:00:00.000Z");
        pinned.pinned = true;
        assert_eq!(group(&pinned, Status::Idle, 0, 0), Group::Pinned);
        assert_eq!(group(&pinned, Status::AwaitingApproval, 0, 0), Group::Waiting);
        assert!(Group::Waiting < Group::Pinned && Group::Pinned < Group::Today);
    }
}
