-- When a stream got the title and category it has: of two descriptions of a stream rooms keep the later one.
ALTER TABLE streams ADD COLUMN described_at timestamptz;
