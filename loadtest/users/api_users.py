"""Programs and pages that use the HTTP API."""

from typing import ClassVar

from locust import FastHttpUser, constant_pacing, task

from loadtest.users.run import Run
from loadtest.users.stage import Caller

PACE_SECONDS = 0.7  # 86 requests a minute: a user may make 100


class ApiUser(FastHttpUser):
    """Browses, as one account from one address."""

    shared: ClassVar[Run]
    who: Caller
    wait_time = constant_pacing(PACE_SECONDS)

    def on_start(self) -> None:
        self.who = self.shared.person("api")

    @task(30)
    def me(self) -> None:
        self.client.get("/api/v1/auth/me", headers=self.who.headers, name="who am I")

    @task(30)
    def live_now(self) -> None:
        self.client.get("/api/v1/streams", headers=self.who.headers, name="live now")

    @task(30)
    def one_stream(self) -> None:
        path = f"/api/v1/streams/{self.shared.room}"
        self.client.get(path, headers=self.who.headers, name="one stream")

    @task(9)
    def rename(self) -> None:
        body = {"display_name": f"Person {self.who.number}"}
        self.client.patch("/api/v1/auth/me", json=body, headers=self.who.headers, name="rename")

    @task(1)
    def sign_in(self) -> None:
        body = {"email": self.who.email, "password": self.shared.plan.password}
        headers = {"X-Forwarded-For": self.who.address}
        self.client.post("/api/v1/auth/login", json=body, headers=headers, name="sign in")
