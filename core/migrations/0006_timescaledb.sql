-- Where the server offers TimescaleDB, readings lie in weekly chunks that can be kept by column. Nothing depends on it.
-- Executed as text: a plain server knows neither the functions nor the options.

DO $$
BEGIN
    IF current_setting('shared_preload_libraries') LIKE '%timescaledb%'
       AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
        EXECUTE $timescale$ SELECT create_hypertable('reading', by_range('observed_at', INTERVAL '7 days')) $timescale$;
        EXECUTE $timescale$
            ALTER TABLE reading SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'channel_id',
                                     timescaledb.orderby = 'observed_at')
        $timescale$;
    END IF;
END $$;
