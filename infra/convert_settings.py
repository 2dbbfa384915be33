"""The settings of whoever makes videos."""

from dataclasses import dataclass
from typing import Literal

from infra.declaring import optional_url, setting


@dataclass(frozen=True, slots=True)
class ConvertSettings:
    """Who makes videos: our own transcoders, or AWS MediaConvert."""

    transcoder: Literal["own", "mediaconvert"] = setting(
        "FOOTLIGHT_TRANSCODER", "own", "own: `footlight transcode`; mediaconvert: the service, which needs what follows"
    )
    region: str = setting("FOOTLIGHT_MEDIACONVERT_REGION", "eu-west-1", "where the service and its queue are")
    role: str = setting("FOOTLIGHT_MEDIACONVERT_ROLE", "", "ARN of the role with which the service reads and writes S3")
    queue: str = setting("FOOTLIGHT_MEDIACONVERT_QUEUE", "", "ARN of the service's queue")
    inbox: str = setting(
        "FOOTLIGHT_MEDIACONVERT_INBOX",
        "",
        "URL of the SQS queue in front of the Lambda function that looks at videos",
        check=optional_url,
    )
    endpoint: str = setting(
        "FOOTLIGHT_MEDIACONVERT_ENDPOINT", "", "another address of the service, for tests", check=optional_url
    )
    inbox_endpoint: str = setting(
        "FOOTLIGHT_MEDIACONVERT_INBOX_ENDPOINT", "", "another address of SQS, for tests", check=optional_url
    )

    def problems(self) -> list[str]:
        """What is missing for the service."""
        needed = {"ROLE": self.role, "QUEUE": self.queue, "INBOX": self.inbox}
        return [
            f"FOOTLIGHT_MEDIACONVERT_{name} must be set when FOOTLIGHT_TRANSCODER=mediaconvert."
            for name, value in needed.items()
            if self.transcoder == "mediaconvert" and not value
        ]
