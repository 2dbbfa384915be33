-- Videos made by AWS MediaConvert: one task `job` in place of our own encoders' tasks, and the jobs that were asked for.

ALTER TABLE transcode_tasks DROP CONSTRAINT transcode_tasks_kind_check;
ALTER TABLE transcode_tasks ADD CONSTRAINT transcode_tasks_kind_check
    CHECK (kind IN ('prepare', 'low', 'audio', 'poster', 'high', 'pictures', 'job', 'finish'));

-- No key to `transcodes`: what is deleted there must still be cancelled at the service.
CREATE TABLE convert_jobs (
    video_id   uuid NOT NULL,
    build      text NOT NULL,
    -- Which try of the build's task; a failed job is followed by another.
    attempt    integer NOT NULL,
    job_id     text NOT NULL UNIQUE CHECK (length(job_id) BETWEEN 1 AND 200),
    asked_at   timestamptz NOT NULL,
    -- Set when nobody wants it any more; the row goes once the service knows.
    cancel     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (video_id, build, attempt)
);
CREATE INDEX convert_jobs_to_cancel ON convert_jobs (asked_at) WHERE cancel;
