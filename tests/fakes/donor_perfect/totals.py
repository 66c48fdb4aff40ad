"""The sums that the vendor keeps on a donor, as far as saving a gift refreshes them."""

from __future__ import annotations

from tests.fakes.donor_perfect.state import Account


def refresh(account: Account, donor_id: int, today: str) -> None:
    """Only G counts, a split by its parts, and nothing that is marked `nocalc`."""
    gifts = account.rows(
        "SELECT amount, gift_date FROM dpgift WHERE donor_id = ? AND record_type = 'G' AND nocalc = 'N' "
        "ORDER BY gift_date, gift_id", donor_id,
    )  # fmt: skip
    amounts = [float(each["amount"] or 0) for each in gifts]
    largest = max(gifts, key=lambda each: each["amount"] or 0, default=None)
    year, last_year = today[:4], str(int(today[:4]) - 1)
    account.update(
        "dp",
        donor_id,
        {
            "gifts": len(gifts),
            "gift_total": round(sum(amounts), 4),
            "last_contrib_amt": amounts[-1] if amounts else None,
            "last_contrib_date": gifts[-1]["gift_date"] if gifts else None,
            "ytd": round(sum(float(each["amount"]) for each in gifts if str(each["gift_date"])[:4] == year), 4),
            "ly_ytd": round(sum(float(each["amount"]) for each in gifts if str(each["gift_date"])[:4] == last_year), 4),
            "max_amt": largest["amount"] if largest else None,
            "max_date": largest["gift_date"] if largest else None,
            "avg_amt": round(sum(amounts) / len(amounts), 4) if amounts else None,
            "yrs_donated": len({str(each["gift_date"])[:4] for each in gifts}),
        },
    )
