"""Invalidations, against a server that speaks like AWS."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.server import ThreadedMotoServer

from infra.clock import new_id
from media.delivery.cloudfront import CloudFrontCopies, CloudFrontUnavailable


class RawResponse:
    """The body of an answer: empty."""

    def stream(self) -> Iterator[bytes]:
        yield b""


PATHS = ["/vod/v1/*", "/posters/v1/*"]


@pytest.fixture(scope="module")
def cloudfront() -> Iterator[Any]:
    server = ThreadedMotoServer(port=0)
    server.start()
    _, port = server.get_host_and_port()
    yield boto3.client(
        "cloudfront",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    server.stop()


@pytest.fixture
def distribution_id(cloudfront: Any) -> str:
    origin = {"Id": "files", "DomainName": "files.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": new_id(),
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {"TargetOriginId": "files", "ViewerProtocolPolicy": "https-only"},
        }
    )
    return str(made["Distribution"]["Id"])


async def test_copies_of_these_paths_are_dropped(cloudfront: Any, distribution_id: str) -> None:
    await CloudFrontCopies(lambda: cloudfront, distribution_id).forget(PATHS)
    listed = cloudfront.list_invalidations(DistributionId=distribution_id)["InvalidationList"]["Items"]
    found = cloudfront.get_invalidation(DistributionId=distribution_id, Id=listed[0]["Id"])["Invalidation"]
    assert sorted(found["InvalidationBatch"]["Paths"]["Items"]) == sorted(PATHS)


def references_of(cloudfront: Any, distribution_id: str) -> list[str]:
    listed = cloudfront.list_invalidations(DistributionId=distribution_id)["InvalidationList"]["Items"]
    found = [cloudfront.get_invalidation(DistributionId=distribution_id, Id=one["Id"]) for one in listed]
    return [one["Invalidation"]["InvalidationBatch"]["CallerReference"] for one in found]


async def test_paths_that_were_dropped_before_are_dropped_again(cloudfront: Any, distribution_id: str) -> None:
    copies = CloudFrontCopies(lambda: cloudfront, distribution_id)
    for _ in range(2):
        await copies.forget(PATHS)
    references = references_of(cloudfront, distribution_id)
    assert len(references) == len(set(references)) == 2


async def test_a_request_whose_answer_was_lost_is_sent_again_as_it_was(cloudfront: Any, distribution_id: str) -> None:
    sent: list[bytes] = []

    def lose_the_first(request: Any, **_: Any) -> AWSResponse | None:
        sent.append(request.body)
        return AWSResponse(request.url, 503, HTTPHeaders(), RawResponse()) if len(sent) == 1 else None

    cloudfront.meta.events.register("before-send.cloudfront.CreateInvalidation", lose_the_first)
    try:
        await CloudFrontCopies(lambda: cloudfront, distribution_id).forget(PATHS)
    finally:
        cloudfront.meta.events.unregister("before-send.cloudfront.CreateInvalidation", lose_the_first)
    assert len(sent) == 2
    assert sent[0] == sent[1]


async def test_a_distribution_that_is_not_there_is_an_outage(cloudfront: Any) -> None:
    with pytest.raises(CloudFrontUnavailable):
        await CloudFrontCopies(lambda: cloudfront, "nowhere").forget(PATHS)
