"""Steps between a scan and its features; none of them learns, except Nyul's landmarks."""
