/** Events as the documentation shows them. */
export const NOTIFICATION = {
  event_type: 'notification',
  data: { title: 'Aviso', message: 'Manutencao em 5 minutos' },
  project_id: 'PROJ-001',
};

export const STORY_CREATED = {
  type: 'story_created',
  data: { story_id: 'STR-0001', title: 'Implementar login', project_id: 'PROJ-001' },
  project_id: 'PROJ-001',
  story_id: 'STR-0001',
};

export const TASK_COMPLETED = {
  type: 'task.completed',
  user_id: 'user-uuid',
  data: {
    taskId: 'task-uuid',
    userId: 'user-uuid',
    agentId: 'agent-uuid',
    status: 'completed',
    response: 'LLM response...',
    tokensUsed: 150,
    executionTimeMs: 2500,
  },
};

export const MEETING_MOVED = {
  type: 'meeting_moved',
  data: { meeting: 42, at: '2026-01-02T15:00:00Z' },
  user_ids: ['alice', 'bob', 'carol'],
};

export const STATS = {
  active_connections: 5,
  active_projects: 2,
  total_connections: 150,
  total_messages_sent: 1234,
  total_broadcasts: 89,
  connections_per_project: { 'PROJ-001': 3, 'PROJ-002': 2 },
};
