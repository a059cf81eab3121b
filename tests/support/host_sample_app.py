"""A function app with every kind of trigger that the local host serves; each run leaves a line in a journal."""

import asyncio
import json
import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def write(kind: str, value: object) -> None:
    """Appends to the journal, at once and whole."""
    with Path(os.environ["SAMPLE_JOURNAL"]).open("a") as journal:
        journal.write(json.dumps([kind, value]) + "\n")


@app.route(route="items/{name}", methods=["GET", "HEAD"])
def item(req: func.HttpRequest) -> func.HttpResponse:
    """Answers with what it was asked."""
    body = {"name": req.route_params["name"], "query": dict(req.params), "url": req.url}
    return func.HttpResponse(json.dumps(body), mimetype="application/json", headers={"X-Kind": "item"})


# As the platform does, the host tries routes in the order of names: this one comes before `item`.
@app.route(route="items/special", methods=["GET"])
async def exact_item(req: func.HttpRequest, context: func.Context) -> str:
    """Runs on the event loop, with a context."""
    return f"{context.function_name} {len(context.invocation_id)}"


@app.route(route="files/{*rest}", methods=["POST"])
def files(req: func.HttpRequest) -> func.HttpResponse:
    """Gives the body back."""
    return func.HttpResponse(req.get_body(), status_code=201, headers={"X-Rest": req.route_params["rest"]})


@app.route(route="boom")
def boom(req: func.HttpRequest) -> func.HttpResponse:
    """Fails."""
    raise RuntimeError("a secret of the inside")


@app.timer_trigger(schedule="%SAMPLE_SCHEDULE%", arg_name="timer", run_on_startup=True)
def tick(timer: func.TimerRequest) -> None:
    """A timer."""
    write("tick", timer.past_due)


@app.queue_trigger(arg_name="message", queue_name="%SAMPLE_NAME%", connection="AzureWebJobsStorage")
def take(message: func.QueueMessage) -> None:
    """Takes a message; one that says bad fails."""
    text = message.get_body().decode()
    write("begun", text)
    time.sleep(float(os.environ.get("SAMPLE_SECONDS", "0")))
    if text == "bad":
        raise ValueError(text)
    write("message", [text, message.dequeue_count])


@app.blob_trigger(
    arg_name="blob",
    path="%SAMPLE_NAME%/{site}/{day}.json",
    connection="AzureWebJobsStorage",
    source=func.BlobSource.LOGS_AND_CONTAINER_SCAN,
)
async def see(blob: func.InputStream) -> None:
    """Sees a blob; one that says bad fails."""
    content = blob.read().decode()
    write("begun", blob.name)
    write("process", os.getpid())
    await asyncio.sleep(float(os.environ.get("SAMPLE_SECONDS", "0")))
    if content == "bad":
        raise ValueError(content)
    write("blob", [blob.name, content, blob.length])
