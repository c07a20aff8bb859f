-- Marked hours are taken oldest first: without this each round would sort all marks that wait.
CREATE INDEX dirty_hour_oldest ON dirty_hour (hour);
