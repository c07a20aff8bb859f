-- What a protocol remembers between messages of a connection, written with the batch whose messages it follows from.
CREATE TABLE protocol_memory (
    connection_id integer NOT NULL REFERENCES connection,
    name text NOT NULL,                                 -- what the protocol calls it
    value bytea NOT NULL,                               -- MessagePack
    PRIMARY KEY (connection_id, name)
);
