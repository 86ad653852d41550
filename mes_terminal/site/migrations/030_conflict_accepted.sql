-- A conflict that a person has ended stays ended as long as it is no worse than it was then.

ALTER TABLE conflict ADD COLUMN accepted BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX conflict_accepted ON conflict (kind, subject) WHERE accepted;
