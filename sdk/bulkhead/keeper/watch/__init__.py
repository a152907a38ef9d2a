"""What a keeper shows of itself: metrics, health and logs."""
