"""Plans, calendars, overrides and the audit: durable before they have an effect."""
