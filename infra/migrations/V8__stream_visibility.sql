-- Who may watch a stream and join its room: everybody, or subscribers.
ALTER TABLE streams ADD COLUMN visibility text NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'premium'));
