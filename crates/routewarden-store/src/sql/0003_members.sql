-- Members of the constituency that an incident touches, by id; and with an empty id each incident
-- that touches any.
CREATE TABLE incident_members (
    member TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    number INTEGER NOT NULL REFERENCES incidents (number) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    state TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    PRIMARY KEY (member, first_seen, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_members_by_number ON incident_members (number, member);

-- Few are open: only they are listed in these orders.
CREATE INDEX incidents_open_by_severity ON incidents (severity, first_seen) WHERE is_open = 1;
CREATE INDEX incidents_open_by_confidence ON incidents (confidence, first_seen) WHERE is_open = 1;
