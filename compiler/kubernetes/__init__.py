"""Plain Kubernetes as a target: a CronJob or a Job whose one pod runs the whole pipeline."""
