-- Recordings that cannot be made end, and can be tried again while their pieces are kept.

-- failed: given up, the creator knows, pieces wait for a second try; spent: nobody asked in time, pieces go.
ALTER TABLE recordings DROP CONSTRAINT recordings_state_check;
ALTER TABLE recordings ADD CONSTRAINT recordings_state_check
    CHECK (state IN ('open', 'made', 'failed', 'spent', 'done'));

-- Tries that ended badly through no fault of a store, and those whose worker died.
ALTER TABLE recordings ADD COLUMN failures integer NOT NULL DEFAULT 0;
ALTER TABLE recordings ADD COLUMN first_tried_at timestamptz;

-- Whoever tries a video again finds its recording.
CREATE UNIQUE INDEX recordings_of_videos ON recordings (video_id) WHERE video_id IS NOT NULL;
