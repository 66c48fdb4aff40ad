"""The donors API: donors of an organization for other programs, at `/donors/{tenantId}` (A1–A14)."""

READ, WRITE = "donors:read", "donors:write"
SCOPES = {
    READ: "Donors API, reading: see donors, their totals and clubs",
    WRITE: "Donors API, writing: add, change and delete donors without seeing them, and have totals counted anew",
}
