"""The API as typed Python, for the dashboard and for scripts.

One method a route; answers are `api.schemas`, refusals exceptions that carry the API's problem::

    from dashboard.client import connect

    ecg = connect("http://127.0.0.1:8000", token="eta_...", patience_s=60)
    found = ecg.predict({"100.hea": header, "100.dat": samples}, age=63)
    job = ecg.jobs.wait(ecg.jobs.create_batch({"study.zip": archive}).id)
    for result in ecg.jobs.results(job.id):
        ...
"""

from dashboard.client.client import DEFAULT_URL, Client, connect
from dashboard.client.http import ApiProblem, ApiUnreachable, Download, SignedOut, Tokens

__all__ = [
    "DEFAULT_URL",
    "ApiProblem",
    "ApiUnreachable",
    "Client",
    "Download",
    "SignedOut",
    "Tokens",
    "connect",
]
