"""A service that answers FHIR, and what asks it."""

import resources
from http_client import Http
from product import write


class FhirService:
    """A service over a lake of these resources, asked as a FHIR server is."""

    def __init__(self, folder, sent):
        self.http = Http(folder)
        self.http.lake.ingest(write(folder / "sent.json", resources.bundle(*sent)))
        self.http.start()

    def get(self, path, expect=200, **headers):
        answer = self.http.ask("GET", f"/fhir/{path}", headers=headers)
        assert answer.status == expect, (path, answer.status, answer.body[:1000])
        return answer.json()

    def refused(self, path, **headers):
        """What a 400 says."""
        outcome = self.get(path, 400, **headers)
        assert outcome["resourceType"] == "OperationOutcome"
        return outcome["issue"][0]["diagnostics"]

    def post(self, resource):
        assert self.http.post(resource).status == 202

    def delete(self, place):
        entry = {"request": {"method": "DELETE", "url": place}}
        self.post({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})

    def bundle(self, path):
        """A page: ids of its resources in their order, its links, its total."""
        told = self.get(path)
        ids = [e["resource"]["id"] for e in told.get("entry", [])]
        return ids, {link["relation"]: link["url"].split("/fhir/")[1] for link in told["link"]}, told.get("total")

    def ids(self, path):
        """Ids of the resources on all pages."""
        found = []
        while path:
            ids, links, _ = self.bundle(path)
            found += ids
            path = links.get("next")
        return found
