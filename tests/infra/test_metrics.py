"""The figures: one registry an object, readable by Prometheus."""

from prometheus_client.parser import text_string_to_metric_families

from infra.metrics import CONTENT_TYPE, Metrics


def test_two_objects_do_not_share_figures() -> None:
    one, other = Metrics(), Metrics()
    one.sockets.inc()
    assert other.registry.get_sample_value("footlight_sockets") == 0


def test_a_request_is_counted_and_timed() -> None:
    metrics = Metrics()
    metrics.request("GET", "/api/v1/streams/{id}", 200, 0.03)
    read = metrics.registry.get_sample_value
    labels = {"method": "GET", "route": "/api/v1/streams/{id}"}
    assert read("footlight_http_requests_total", {**labels, "status": "200"}) == 1
    assert read("footlight_http_seconds_bucket", {**labels, "le": "0.025"}) == 0
    assert read("footlight_http_seconds_bucket", {**labels, "le": "0.05"}) == 1


def test_what_is_rendered_can_be_parsed_and_names_every_figure() -> None:
    metrics = Metrics()
    metrics.room_messages.labels("out").inc(3)
    families = {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}
    bus = {f"bus_{what}" for what in ("published", "handled", "failed", "dead", "dropped")}
    rest = {"http_requests", "http_seconds", "sockets", "room_messages", "retries", "outbox_backlog"}
    for name in bus | rest | {"breaker_open", "breaker_changes"}:
        assert f"footlight_{name}" in families
    assert "process_resident_memory_bytes" in families
    assert all(family.documentation for name, family in families.items() if name.startswith("footlight_"))
    assert CONTENT_TYPE.startswith("text/plain")
