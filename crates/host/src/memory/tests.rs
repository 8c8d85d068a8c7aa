#![allow(clippy::unwrap_used, reason = "test code")]

use super::*;

/// A budget for three instances that take a MiB each.
fn three() -> (MemoryBudget, Vec<Reservation>) {
    let budget = MemoryBudget::new(3 << 20);
    let reservations = (0..3).map(|_| reservation(&budget).unwrap()).collect();
    (budget, reservations)
}

fn reservation(budget: &MemoryBudget) -> Result<Reservation, BudgetExhausted> {
    let mut reservation = budget.reserve()?;
    let initial = reservation.memory_growing(0, INSTANCE_BYTES * INITIAL_SHARE, None);
    assert!(initial.unwrap());
    let grown = (1 << 20) - INSTANCE_BYTES;
    let grown = reservation.memory_growing(INSTANCE_BYTES, grown, None);
    assert!(grown.unwrap());
    Ok(reservation)
}

#[test]
fn an_instance_that_serves_requests_keeps_its_memory() {
    let (budget, mut reservations) = three();
    let full = reservation(&budget).unwrap_err().to_string();
    assert!(full.contains("all of the 3 MiB"), "{full}");
    reservations.pop();
    assert!(reservation(&budget).is_ok(), "one has ended");
}

#[test]
fn evicts_the_instance_that_has_lingered_longest() {
    let budget = MemoryBudget::new(9 << 20);
    let reservations: Vec<_> = (0..9).map(|_| reservation(&budget).unwrap()).collect();
    let mut lingers: Vec<_> = reservations[..3].iter().map(Reservation::linger).collect();
    lingers[1].begin();
    lingers[2].begin();
    lingers[0].begin();
    let cancelled = || -> Vec<_> {
        let tokens = reservations[..3].iter().map(Reservation::cancelled);
        tokens.map(CancellationToken::is_cancelled).collect()
    };
    let tenth = reservation(&budget).unwrap();
    assert_eq!(cancelled(), [false, true, false]);
    assert!(lingers[2].end(), "it was not evicted");
    let _eleventh = reservation(&budget).unwrap();
    assert_eq!(cancelled(), [true, true, false]);
    let report = budget.report().unwrap();
    assert_eq!((report.evicted, report.refused), (2, 0));
    assert!(!lingers[0].end(), "it may not serve any more");
    drop(tenth);
}

#[test]
fn lingering_instances_have_a_share_only() {
    let budget = MemoryBudget::new(8 << 20);
    let reservations: Vec<_> = (0..5).map(|_| reservation(&budget).unwrap()).collect();
    let mut lingers: Vec<_> = reservations.iter().map(Reservation::linger).collect();
    lingers.iter_mut().take(3).for_each(Linger::begin);
    assert!(lingers[1].end(), "three eighths are theirs");
    lingers[3].begin();
    assert!(!reservations[0].cancelled().is_cancelled());
    lingers[4].begin();
    let tokens = reservations.iter().map(Reservation::cancelled);
    let cancelled: Vec<_> = tokens.map(CancellationToken::is_cancelled).collect();
    assert_eq!(cancelled, [true, false, false, false, false]);
}

#[test]
fn no_instance_grows_without_bound() {
    let table = [
        (2, 256, MAX_INSTANCE_BYTES, true, "as much as one may take"),
        (2, 256, MAX_INSTANCE_BYTES + 1, false, "more than that"),
        (
            1,
            64,
            MIN_INSTANCE_BYTES,
            true,
            "what every instance may take",
        ),
        (
            1,
            16,
            MIN_INSTANCE_BYTES,
            true,
            "even if the budget is used up",
        ),
        (
            1,
            16,
            MIN_INSTANCE_BYTES + 1,
            false,
            "but no more than that",
        ),
        (
            1,
            64,
            MIN_INSTANCE_BYTES + 1,
            true,
            "unless the budget allows it",
        ),
    ];
    for (times, mebibytes, bytes, granted, why) in table {
        let budget = MemoryBudget::new((times * mebibytes) << 20);
        let mut instance = budget.reserve().unwrap();
        let held = INSTANCE_BYTES;
        let answer = instance.memory_growing(held, bytes, None).unwrap();
        assert_eq!(answer, granted, "{why}");
        let too_large = budget.report().map_or(0, |report| report.too_large);
        assert_eq!(too_large, usize::from(!granted), "{why}");
    }
}

#[test]
fn does_not_evict_an_instance_that_serves_again() {
    let (budget, reservations) = three();
    let mut linger = reservations[0].linger();
    linger.begin();
    assert!(linger.end());
    assert!(reservation(&budget).is_err());
    assert!(!reservations[0].cancelled().is_cancelled());
}

#[test]
fn evicts_nobody_within_the_budget() {
    let budget = MemoryBudget::new(3 << 20);
    let first = reservation(&budget).unwrap();
    let mut linger = first.linger();
    linger.begin();
    let _second = reservation(&budget).unwrap();
    assert!(!first.cancelled().is_cancelled());
    budget.close();
    assert!(first.cancelled().is_cancelled(), "but at the end");
}
