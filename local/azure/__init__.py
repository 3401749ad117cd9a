"""A simulated Azure: Resource Manager, managed identity, logs, Capture and Event Grid.

From the inside out:

- `facts` says what there can be, `world` holds all of it, `clock` the time; `estate` builds customers from
  a seed and a size, and `furnishing` draws what stands in their subscriptions. `resource_types` (with
  `log_categories`), `export_tables` and `roles` are Azure's own facts as data.
- `app.SimulatedAzure` answers one request at a time, without sockets: `identity` and `access` say who may,
  `throttle` how often, `faults` what goes wrong; `routes` finds the handler.
- Each API is one file with a `ROUTES` tuple: `subscriptions`, `resource_groups`, `resources` (with its
  `filters`), `providers`, `resource_graph` (with `kql`; both read `conditions`), `diagnostic_settings`
  (with its `diagnostic_rules`), `workspaces`, `data_exports`, `automations`, `managed_services`,
  `role_definitions`, `namespaces`, `event_hubs`, `authorization_rules`.
- It lives: `scenarios` tell `story`s and `telemetry` has other logs, `plays` plays them, `hands` are people
  who change things; `entries` words the activity log, `activity` leads it to event hubs, `stream` holds it
  there, `capture` writes files, `event_grid` announces them.
- `transport` serves the SDK's clients in process; `server` puts a socket before it, `control_routes` (with
  `control_state`), `control` and `remote_hands` a remote control, `main` a process.
"""
