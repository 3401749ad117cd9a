"""A simulated Azure: Resource Manager, managed identity, activity logs, Capture and Event Grid.

From the inside out:

- `world` holds all state, `clock` the time, `estate` builds customers from a seed and a size.
- `app.SimulatedAzure` answers one request at a time, without sockets: `identity`, `access` and `roles`
  say who may, `throttle` how often, `faults` what goes wrong; `routes` finds the handler.
- Each API is one file with a `ROUTES` tuple: `subscriptions`, `diagnostic_settings` (with its
  `diagnostic_rules` and `log_categories`), `namespaces`, `event_hubs`, `authorization_rules`.
- It lives: `scenarios` tell `story`s, `plays` plays them, `entries` words the activity log, `activity`
  leads it to event hubs, `stream` holds it there, `capture` writes files, `event_grid` announces them.
- `server` puts a socket before it, `control_routes` and `control` a remote control, `main` a process.
"""
