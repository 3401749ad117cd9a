"""The Functions app: registers the blueprints, nothing else."""

import azure.functions as func

from functions import capture, event_hubs, health, integrations, onboarding, set_aside, synchronise

app = func.FunctionApp()
for part in (integrations, onboarding, event_hubs, health, synchronise, capture, set_aside):
    app.register_functions(part.blueprint)
