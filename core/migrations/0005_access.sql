-- Who sees which pilot: the one place where a scope is decided. Every query of a page joins it.
CREATE VIEW visible_pilot AS
SELECT person.person_id, pilot.*
FROM person JOIN pilot ON
    person.role = 'admin'
    OR (person.role = 'officer' AND pilot.site = ANY (person.sites))
    OR (person.role = 'company' AND pilot.company = ANY (person.companies))
    OR (person.role = 'committee' AND pilot.name = ANY (person.pilots))
WHERE person.disabled_at IS NULL;
