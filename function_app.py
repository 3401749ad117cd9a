"""The Functions app: registers the blueprints, and tells what is wrong with its settings."""

import azure.functions as func

from functions import capture, event_hubs, health, integrations, onboarding, set_aside, start, synchronise

app = func.FunctionApp()
for part in (integrations, onboarding, event_hubs, health, synchronise, capture, set_aside):
    app.register_functions(part.blueprint)

start.tell_wrong_settings()
