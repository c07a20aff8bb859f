-- name: visible
-- Every pilot that a person may see, the running ones first.
SELECT pilot.pilot_id, pilot.name, pilot.title, pilot.kind, pilot.company, pilot.company_name, pilot.site,
    pilot.site_name, pilot.zone, pilot.start_at, pilot.end_at, pilot.simulated,
    plan.version AS plan_version, plan.sha256 AS plan_sha256
FROM visible_pilot AS pilot
CROSS JOIN LATERAL (
    SELECT version, sha256 FROM plan_version
    WHERE plan_version.pilot_id = pilot.pilot_id ORDER BY version DESC LIMIT 1
) AS plan
WHERE pilot.person_id = %(person)s AND (%(name)s::text IS NULL OR pilot.name = %(name)s)
ORDER BY pilot.end_at < clock_timestamp(), pilot.site_name, pilot.name
