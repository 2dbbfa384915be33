"""Invalidations, against a server that speaks like AWS."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from infra.clock import new_id
from media.delivery.cloudfront import CloudFrontCopies, CloudFrontUnavailable

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


async def test_the_same_paths_have_the_same_reference(cloudfront: Any, distribution_id: str) -> None:
    copies = CloudFrontCopies(lambda: cloudfront, distribution_id)
    for _ in range(2):
        await copies.forget(PATHS)
    listed = cloudfront.list_invalidations(DistributionId=distribution_id)["InvalidationList"]["Items"]
    batches = [
        cloudfront.get_invalidation(DistributionId=distribution_id, Id=one["Id"])["Invalidation"]["InvalidationBatch"]
        for one in listed
    ]
    assert len({batch["CallerReference"] for batch in batches}) == 1


async def test_a_distribution_that_is_not_there_is_an_outage(cloudfront: Any) -> None:
    with pytest.raises(CloudFrontUnavailable):
        await CloudFrontCopies(lambda: cloudfront, "nowhere").forget(PATHS)
